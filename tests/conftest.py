import os

from hypothesis import HealthCheck, settings

# No deadline: a slow machine is not a bug. In CI every run tries the same examples,
# so that a red build is red again when somebody looks at it; at a desk each run tries new ones.
_common = settings(
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("dev", _common)
settings.register_profile("ci", _common, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")
