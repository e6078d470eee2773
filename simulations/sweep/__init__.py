"""Many runs of a scenario: over values and seeds, on all cores or a Dask cluster."""

from ._cluster import SchedulerUnreachable as SchedulerUnreachable
from ._edition import edition as edition
from ._plan import (
    Plan as Plan,
    Run as Run,
    SweepError as SweepError,
    as_text as as_text,
    make_plan as make_plan,
)
from ._plot import write_plots as write_plots
from ._run import Failed as Failed, Finished as Finished, Outcome as Outcome
from ._store import Store as Store
from ._student import Estimate as Estimate
from ._sweep import (
    Backend as Backend,
    SweepProgress as SweepProgress,
    cluster as cluster,
    default_directory as default_directory,
    processes as processes,
    run_sweep as run_sweep,
)
from ._table import (
    MEASURES as MEASURES,
    Measure as Measure,
    Row as Row,
    SweepTable as SweepTable,
    tabulate as tabulate,
)
