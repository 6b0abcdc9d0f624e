"""Which file system a path is on, read from /proc/self/mountinfo."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from offduty.stores.filesystem import is_network, kind_of

MOUNTS = r"""
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 27 0:30 / /data rw,relatime shared:2 master:3 - nfs4 filer:/export rw
31 30 0:31 / /data/local rw - xfs /dev/vdb rw
32 27 0:32 / /mnt/with\040space rw - cifs //filer/share rw
33 27 0:33 / /twice rw - ext4 /dev/vdc rw
34 27 0:34 / /twice rw - fuse.sshfs host: rw
""".lstrip()


@pytest.mark.parametrize(
    "path, kind",
    [
        ("/", "ext4"),
        ("/var/lib", "ext4"),
        ("/data", "nfs4"),
        ("/data/x/y", "nfs4"),
        ("/database", "ext4"),
        ("/data/local/x", "xfs"),
        ("/mnt/with space/x", "cifs"),
        ("/twice/x", "fuse.sshfs"),
    ],
)
def test_the_last_mount_on_the_longest_point_counts(tmp_path, path, kind):
    """F69: as the kernel resolves a path, with escapes, and with one mount over another."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert kind_of(path, str(mounts)) == kind


def test_a_system_that_does_not_say_is_taken_as_local(tmp_path):
    """Without /proc there is nothing to refuse by."""
    assert kind_of("/", str(tmp_path / "none")) == ""
    assert not is_network("")


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "tmpfs", "overlay", "zfs"])
def test_local_file_systems_are_welcome(kind):
    """F69: only what has no shared memory is refused."""
    assert not is_network(kind)


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="mounting needs root and unshare")
def test_a_real_mount_is_seen(tmp_path):
    """A tmpfs mounted just now is what it is, through a symbolic link too."""
    (tmp_path / "mounted").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "mounted")
    code = f"from offduty.stores.filesystem import kind_of; print(kind_of({str(tmp_path / 'link' / 'new')!r}))"
    script = f'mount -t tmpfs none "{tmp_path}/mounted" && exec "{sys.executable}" -c "$0"'
    assert subprocess.run(["unshare", "-m", "sh", "-c", script, code], capture_output=True, text=True).stdout == "tmpfs\n"
