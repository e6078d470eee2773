class ScenarioError(ValueError):
    """A scenario cannot be run as it is written; nothing was run.

    The message is one sentence that names the key (with file and line where it comes from a file)
    and the remedy.
    """
