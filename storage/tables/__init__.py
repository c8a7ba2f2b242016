"""What we keep, table by table. Every constraint has a name that will not change.

Instants are epoch seconds in UTC; interval energy is whole watt-hours (or
var-hours); register readings are millionths of a kWh (or kvarh) as on the
meter's face. Values are versioned by the documents that carry them:

* `interval_value` and `register_reading` hold what is in force,
* `interval_history` and `register_history` what was, and which submission ended it,
* `submission_span` and `submission_reading` which documents carry what, also where
  their values equal the ones in force. The newest document that carries a value
  is found there, so that equal values need not be written again.
"""

from storage.tables import access, audit, base, billing, letters, points, running, values

MODULES = (access, audit, billing, letters, points, running, values)
"""A module's tables are known once it is imported."""

METADATA = base.Kept.metadata
