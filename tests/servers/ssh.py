"""An SSH server for one folder: any password but `wrong`, programs that print nothing, SFTP. Arguments: port, folder."""

from __future__ import annotations

import os
import socket
import sys
import threading
from typing import Any

import paramiko


class Server(paramiko.ServerInterface):
    """Lets in whoever asks."""

    def check_auth_password(self, username: str, password: str) -> int:
        """Any password but `wrong`."""
        return paramiko.AUTH_FAILED if password.endswith("wrong") else paramiko.AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        """Sessions."""
        return paramiko.OPEN_SUCCEEDED if kind == "session" else paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        """It ends as soon as the client knows that it has started."""
        threading.Timer(0.05, lambda: (channel.send_exit_status(0), channel.close())).start()
        return True


class Files(paramiko.SFTPServerInterface):
    """The files of one folder."""

    def path(self, path: str) -> str:
        """Within the folder."""
        return sys.argv[2] + self.canonicalize(path)

    def list_folder(self, path: str) -> Any:
        """Names with their attributes."""
        found = []
        for name in os.listdir(self.path(path)):
            attributes = paramiko.SFTPAttributes.from_stat(os.stat(os.path.join(self.path(path), name)))
            attributes.filename = name
            found.append(attributes)
        return found

    def stat(self, path: str) -> Any:
        """Of one."""
        try:
            return paramiko.SFTPAttributes.from_stat(os.stat(self.path(path)))
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    lstat = stat

    def open(self, path: str, flags: int, attr: Any) -> Any:
        """For reading or writing."""
        try:
            fd = os.open(self.path(path), flags, 0o600)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)
        handle = paramiko.SFTPHandle(flags)
        handle.readfile = handle.writefile = os.fdopen(fd, "wb" if flags & os.O_WRONLY else "rb")
        return handle

    def remove(self, path: str) -> int:
        """If it is there."""
        try:
            os.remove(self.path(path))
        except OSError as error:
            return int(paramiko.SFTPServer.convert_errno(error.errno))
        return int(paramiko.SFTP_OK)


def main() -> None:
    """Serve until killed."""
    key = paramiko.ECDSAKey.generate()
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    while True:
        connection, _ = listener.accept()
        transport = paramiko.Transport(connection)
        transport.add_server_key(key)
        transport.set_subsystem_handler("sftp", paramiko.SFTPServer, Files)
        try:
            transport.start_server(server=Server(), event=threading.Event())
        except (paramiko.SSHException, EOFError):
            transport.close()


if __name__ == "__main__":
    main()
