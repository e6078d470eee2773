"""The results of simulations, and how they are shown."""

from ._grid import Grid as Grid, grid as grid, slices as slices
from ._lanes import Lane as Lane, lanes as lanes
from ._read import report_of as report_of
from ._report import (
    Convergence as Convergence,
    Curve as Curve,
    Detection as Detection,
    FalseAccusations as FalseAccusations,
    Happening as Happening,
    Healing as Healing,
    Lookups as Lookups,
    Model as Model,
    Report as Report,
    Series as Series,
    Spread as Spread,
    Theory as Theory,
    Traffic as Traffic,
    Work as Work,
)
from ._scale import (
    is_logarithmic as is_logarithmic,
    reaches as reaches,
    tree_time as tree_time,
)
from ._style import (
    BLUE as BLUE,
    GREEN as GREEN,
    ORANGE as ORANGE,
    QUIET as QUIET,
    WIDTH as WIDTH,
    save as save,
    style as style,
)
from ._wording import (
    convergence_finding as convergence_finding,
    detection_finding as detection_finding,
    digits as digits,
    duration as duration,
    many as many,
    members_finding as members_finding,
    outcome as outcome,
    per_peer_per_second as per_peer_per_second,
    percent as percent,
    shares_of as shares_of,
    size as size,
    traffic_finding as traffic_finding,
)
from ._write import (
    document_text as document_text,
    prepare_directory as prepare_directory,
    require_plots as require_plots,
    write_plots as write_plots,
    write_report as write_report,
)
