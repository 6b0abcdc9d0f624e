"""The probe: rides inside the job's own Python, records what happens there, and never raises into the job."""
