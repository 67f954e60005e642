"""Which plain trainings are a run's scale."""

from reward_synth.search.config import TrainingConfig
from reward_synth.store.baselines import TRAINED, trained_alike


def test_settings_that_an_older_version_did_not_record_were_the_usual_ones():
    fields = {name: field.default for name, field in TrainingConfig.model_fields.items()}
    assert {name: fields.get(name) for name in TRAINED} == TRAINED
    assert trained_alike({"steps": 100_000}, {"steps": 100_000, **TrainingConfig().model_dump()})


def test_another_trainer_device_or_time_is_another_training():
    one = {"steps": 100_000, "trainer": "sb3", "algorithm": "sac", "parameters": {"gamma": 0.98}}
    assert trained_alike(one, {**one, "engine": "ray", "workers": 3})
    for change in (
        {"steps": 50_000},
        {"algorithm": "td3"},
        {"parameters": {}},
        {"device": "cuda"},
        {"environments": 512},
    ):
        assert not trained_alike(one, {**one, **change})
