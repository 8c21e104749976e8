"""The main job on real input: tasks against a flaky HTTP upstream while everything is being killed."""
