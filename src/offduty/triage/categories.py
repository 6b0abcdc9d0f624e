"""The 33 kinds of failure: whose each is unless a signature says otherwise, and what always helps."""

from __future__ import annotations

from dataclasses import dataclass

OWNER_KINDS = ("data_scientist", "data_provider", "platform", "dba", "network", "security/identity", "vendor_api")


@dataclass(frozen=True)
class Category:
    """`owner`: one of `OWNER_KINDS`; `meaning`: one sentence; `steps`: what to do first, whatever the library."""

    name: str
    owner: str
    meaning: str
    steps: tuple[str, ...]


_TABLE = [
    Category("input_missing", "data_provider", "Something the job reads is not there.", ("Look when the delivery last arrived, and whether today's is late.", "Check the path or name in the message against the place the provider writes to.", "When it is there, run the job again.")),
    Category("input_empty", "data_provider", "The source is there and holds nothing usable.", ("Compare the number of rows with the last good run.", "Look for a download or a filter before it that failed quietly.", "Ask the provider whether an empty delivery is right.")),
    Category("schema_drift", "data_provider", "A column or field is gone, renamed, or of another type.", ("Compare the header of today's input with the last good one.", "Ask the provider whether the change is meant to last.", "Map the new name in the job, or have the old one restored.")),
    Category("bad_values", "data_provider", "The structure is right, single values are not usable.", ("Find the rows that the message speaks of.", "Set them aside and tell the provider.", "Run again without them, if the job may.")),
    Category("input_corrupt", "data_provider", "A file is damaged, cut off, or not what its name says.", ("Look at the file's size and first bytes: is it an error page, or cut off?", "Fetch it again and compare the checksum.", "Tell the provider if it is broken at the source.")),
    Category("validation_failed", "data_provider", "A check refused the data.", ("Read which check failed, and for how many rows.", "Decide with the data's owner: stop, or set the rows aside.", "Tell the provider what the check expects.")),
    Category("auth_failed", "security/identity", "A password, key or token was not accepted.", ("See when the credential expires and whether it was changed.", "Renew it where the job reads it from.", "Check that the machine's clock is right.")),
    Category("permission_denied", "security/identity", "The identity is known and lacks a right.", ("Name the identity and the right that the message asks for.", "Ask the owner of the resource to grant it.", "Check whether a policy or role was changed since the last good run.")),
    Category("tls_certificate", "security/identity", "A certificate was not accepted.", ("See whose certificate it is, and whether it has expired.", "If the issuer is unknown here, install the right CA bundle.", "Never switch the verification off.")),
    Category("network_unreachable", "network", "The other side could not be reached over the network.", ("Try the address from the same machine.", "Check name resolution, proxy and firewall.", "Run again once it answers.")),
    Category("remote_server_error", "vendor_api", "The service answered that it is broken.", ("Look at the service's status page.", "Run again in a while.", "Report it with the time and the address if it stays.")),
    Category("rate_limited", "vendor_api", "The service refuses more calls for now, or a quota is used up.", ("See which limit was hit, and when it resets.", "Run again later, slower or in smaller portions.", "Have the quota or the plan raised if this is the normal load.")),
    Category("api_contract_change", "vendor_api", "The service works, and answers otherwise than before.", ("Fetch one answer by hand and compare it with what the code expects.", "Read the provider's changelog.", "Adapt the code, or update the client library.")),
    Category("db_unavailable", "dba", "The database or broker could not be reached, or the connection was lost.", ("Ask whether the server is up and takes connections.", "Check host, port and the number of connections in use.", "Run again once it is.")),
    Category("db_locked_or_deadlock", "dba", "Another session held what this one needed.", ("Find what else ran at that time on the same tables.", "Run again.", "Keep the two apart in time if it happens again.")),
    Category("db_query_error", "dba", "The database refused a statement.", ("Run the statement of the message by hand.", "Look for a migration, or an earlier run of the same load.", "Have the object, or the row in the way, put right.")),
    Category("out_of_memory", "platform", "There was not enough memory.", ("Compare the size of the input with the last good run.", "Look at the memory graph, and at what else ran there.", "Raise the limit, or work in portions.")),
    Category("disk_full", "platform", "There was no space left to write to.", ("See which file system is full: df -h, df -i, quota.", "Remove old temporary files and logs, or have it enlarged.", "Run again, and check that output is complete.")),
    Category("os_limit", "platform", "A limit of the operating system was reached.", ("Look at ulimit -a, and at the container's limits.", "Find out what holds so many of them.", "Raise the limit, or use fewer workers.")),
    Category("process_crashed", "platform", "A process died in native code.", ("Run again with PYTHONFAULTHANDLER=1 to see where.", "See which packages changed since the last good run.", "Check that the processor has what the build asks for.")),
    Category("job_timeout", "platform", "A time limit ended it.", ("Compare the duration with earlier runs: slower, or stuck?", "See what it was waiting for when the time was up.", "Raise the limit only if it was simply more work.")),
    Category("infra_evicted", "platform", "The platform stopped it, or never started it.", ("Look at the events of the node, pod or allocation at that time.", "Run again.", "Compare what the job requests with what it uses.")),
    Category("notebook_kernel_died", "platform", "A notebook's kernel died and left no reason.", ("Look for memory first: the kernel's log, dmesg, the memory graph.", "Run the notebook as a script to see a native crash.", "Run again.")),
    Category("gpu_or_driver", "platform", "A GPU, its driver or its libraries are not usable.", ("Run nvidia-smi on that machine.", "Compare the driver's version with the CUDA version of the library.", "See that the job was given a GPU.")),
    Category("concurrency_lock", "platform", "Something else holds the file, port or lock.", ("Find the process that holds it.", "See whether an earlier run is still there.", "Keep the schedules apart.")),
    Category("dependency_missing", "platform", "A module, library or program is not installed where the job runs.", ("Check which environment the job really ran in.", "Build the environment again from its lock file.", "Add what is missing to the requirements.")),
    Category("dependency_incompatible", "data_scientist", "Installed versions do not fit each other or the code.", ("See which packages changed since the last good run.", "Pin the version that worked.", "Adapt the code to the new version later.")),
    Category("config_missing", "platform", "A setting or secret is not set where the job runs.", ("See which setting the message names.", "Compare the environment with that of the last good run; cron has its own.", "Set it where the job is started.")),
    Category("bad_config", "data_scientist", "A setting is there, and wrong.", ("Look at the setting that the message names.", "Compare it with the last version that worked.", "Correct it and run again.")),
    Category("model_artifact", "data_scientist", "A model is absent, not loadable, or of another version.", ("Check that the model is where the job looks, and when it was written.", "Compare the library's version with that of the training.", "Restore the last good model, or train again.")),
    Category("numeric_convergence", "data_scientist", "The numbers could not be solved.", ("Look for collinear, constant or missing columns in today's data.", "Check the scaling.", "Compare with the last data that converged.")),
    Category("shape_mismatch", "data_scientist", "Dimensions do not fit each other.", ("Compare the number of features in training and scoring.", "Print the shapes just before the failing line.", "Train again if the features have changed.")),
    Category("code_bug", "data_scientist", "The job's own code did something that cannot work.", ("Open the file and line that the evidence names.", "See what changed in the code since the last good run.", "Go back to the last good version if it is urgent.")),
]  # fmt: skip  # ruff: noqa: E501 (a table)

CATEGORIES: dict[str, Category] = {category.name: category for category in _TABLE}
