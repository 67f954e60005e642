"""``check``: the gate alone, with every finding's place."""

from pathlib import Path

from tests.cli.command import reward_synth

SOUND = "def compute_reward(pole_up):\n    return pole_up, {'up': pole_up}\n"
MISSPELT = "def compute_reward(pole_upp):\n    return pole_upp, {'up': pole_upp}\n"
IMPORTS = "import os\n\n\n" + SOUND


def test_sound_program(tmp_path: Path):
    reward = tmp_path / "sound.py"
    reward.write_text(SOUND)
    told = reward_synth("check", "cartpole-swingup", reward)
    assert told.status == 0, told.err
    assert f"{reward}: accepted" in told.out


def test_finding_has_line_column_and_a_caret_below_the_place(tmp_path: Path):
    reward = tmp_path / "misspelt.py"
    reward.write_text(MISSPELT)
    told = reward_synth("check", "cartpole-swingup", reward)
    assert told.status == 1
    assert told.err == ""
    place, source, caret = told.out.splitlines()[:3]
    assert place.startswith(f"{reward}:1:20: error: ")
    assert "pole_up" in place
    assert source.strip() == MISSPELT.splitlines()[0]
    assert caret.index("^") == source.index("pole_upp")


def test_folder_with_files_of_all_kinds(tmp_path: Path):
    (tmp_path / "a_sound.py").write_text(SOUND)
    (tmp_path / "b_imports.py").write_text(IMPORTS)
    (tmp_path / "c_empty.py").write_text("")
    (tmp_path / "notes.txt").write_text("not a program")
    told = reward_synth("check", "cartpole-swingup", tmp_path, "--json")
    assert told.status == 1
    programs = told.json["programs"]
    assert [(Path(p["path"]).name, p["ok"]) for p in programs] == [
        ("a_sound.py", True),
        ("b_imports.py", False),
        ("c_empty.py", False),
    ]
    assert programs[1]["findings"][0]["line"] == 1
    assert "empty" in programs[2]["findings"][0]["message"]
    assert reward_synth("check", "cartpole-swingup", tmp_path).out.endswith(
        "3 programs, 2 refused\n"
    )
