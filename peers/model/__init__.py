"""The registry as users see it: instances, members, errors, checks and limits of input."""

from ._address import (
    format_address as format_address,
    is_loopback as is_loopback,
    is_wildcard as is_wildcard,
    numeric as numeric,
    parse_address as parse_address,
)
from ._checks import (
    check_address as check_address,
    check_by as check_by,
    check_expires as check_expires,
    check_metadata as check_metadata,
    check_names as check_names,
    check_output as check_output,
    check_override_status as check_override_status,
    check_pair as check_pair,
    check_port as check_port,
    check_reason as check_reason,
    check_source as check_source,
    check_status as check_status,
    check_tags as check_tags,
    check_text as check_text,
    check_ttl as check_ttl,
    check_weight as check_weight,
    check_zone as check_zone,
    clean_output as clean_output,
)
from ._errors import (
    BadInput as BadInput,
    ConfigError as ConfigError,
    Conflict as Conflict,
    GossamerError as GossamerError,
    NoInstanceError as NoInstanceError,
    NotFound as NotFound,
    TooLarge as TooLarge,
    Unavailable as Unavailable,
    missing as missing,
)
from ._instance import (
    Instance as Instance,
    Lookup as Lookup,
    Override as Override,
    Preserved as Preserved,
    ServiceSummary as ServiceSummary,
    show_moment as show_moment,
)
from ._limits import (
    METADATA_PAIRS as METADATA_PAIRS,
    METADATA_VALUE_LENGTH as METADATA_VALUE_LENGTH,
    MOMENT_MOST as MOMENT_MOST,
    OUTPUT_BYTES as OUTPUT_BYTES,
    OVERRIDE_BYTES as OVERRIDE_BYTES,
    RECORD_BYTES as RECORD_BYTES,
    TAIL_BYTES as TAIL_BYTES,
    TTL_LEAST as TTL_LEAST,
    TTL_MOST as TTL_MOST,
    ZONE_LENGTH as ZONE_LENGTH,
    RegistryConfig as RegistryConfig,
)
from ._member import MemberInfo as MemberInfo
from ._registration import (
    Registration as Registration,
    RegistrationFields as RegistrationFields,
)
