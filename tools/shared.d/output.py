# SPDX-License-Identifier: GPL-2.0-only
"""Where a tool writes to: -o FILE."""
import contextlib
import os
import sys
import tempfile


class Unwritable(Exception):
    """It cannot be written there, and nothing was."""


class Output:
    """Standard output, or a file that appears only when complete. Tried before the work begins; as a context it leaves
    nothing of what was not completed. `part` is the file that is being written, if it is one."""

    def __init__(self, path):
        self.path, self.part = path, None
        if path in (None, "-"):
            self.stream = sys.stdout
            return
        try:
            # A device, a pipe, or what stands for one.
            if os.path.exists(path) and not os.path.isfile(path):
                self.stream = open(path, "w", encoding="utf-8")
                return
            self.path = os.path.realpath(path)
            handle, self.part = tempfile.mkstemp(prefix=os.path.basename(self.path) + ".", dir=os.path.dirname(self.path))
            mask = os.umask(0)
            os.umask(mask)
            os.fchmod(handle, os.stat(self.path).st_mode & 0o777 if os.path.exists(self.path) else 0o666 & ~mask)
            self.stream = os.fdopen(handle, "w", encoding="utf-8")
        except OSError as error:
            raise Unwritable(f"{path}: {error.strerror}; name a file that can be written") from error

    def complete(self):
        self.stream.flush()
        if self.part:
            self.stream.close()
            os.replace(self.part, self.path)
            self.part = None

    def drop(self):
        if self.part:
            with contextlib.suppress(OSError):
                os.unlink(self.part)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.drop()
