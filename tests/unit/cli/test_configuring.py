"""`supervisor config` prints a file that means the defaults."""

from __future__ import annotations

import yaml
from click.testing import CliRunner

from supervisor.cli.main import main
from supervisor.config import SupervisorConfig


def test_the_printed_file_is_the_default_configuration(tmp_path):
    printed = CliRunner().invoke(main, ["config"]).output
    path = tmp_path / "supervisor.yaml"
    path.write_text(printed, encoding="utf-8")
    assert SupervisorConfig.load(path) == SupervisorConfig()


def test_every_setting_is_printed_with_its_meaning():
    printed = CliRunner().invoke(main, ["config"]).output
    written = yaml.safe_load(printed)
    assert set(written) == set(SupervisorConfig.model_fields)
    for field in SupervisorConfig.model_fields.values():
        assert field.description
        assert field.description in printed
