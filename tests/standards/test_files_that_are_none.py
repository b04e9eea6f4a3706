"""What is no regular file is not waited for."""

import os

import pytest

from sovereignmesh.errors import MeshError
from sovereignmesh.standards import import_odcs, import_odps


def test_a_pipe_is_refused(tmp_path):
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    for read in (import_odcs, import_odps):
        with pytest.raises(MeshError, match="is no regular file"):
            read(pipe)
