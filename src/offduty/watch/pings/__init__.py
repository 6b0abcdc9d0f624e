"""Pings: how a job that offduty does not start says that it has started, succeeded or failed. The rules, without network or store."""
