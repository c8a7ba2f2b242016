-- Suspicions, as every document with a doubtful value asks for them.

-- name: stands
-- Raised already, and none of the values it covers was replaced since.
SELECT 1
FROM suspicion AS s
WHERE s.code = :code AND s.start <= :start AND s."end" >= :end
AND (s.series_id = :series_id OR s.meter_id = :meter_id AND s.channel = :channel
    AND s.zone = :zone)
AND NOT EXISTS (SELECT 1 FROM submission AS w WHERE w.withdraws = s.submission_id)
AND NOT EXISTS (SELECT 1 FROM interval_value AS v WHERE v.series_id = s.series_id
    AND v.start >= :start AND v.start < :end AND v.submission_id > s.submission_id)
AND NOT EXISTS (SELECT 1 FROM register_reading AS r WHERE r.meter_id = s.meter_id
    AND r.channel = s.channel AND r.zone = s.zone AND r.instant >= :start
    AND r.instant <= :end AND r.submission_id > s.submission_id)
LIMIT 1
