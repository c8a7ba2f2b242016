-- Findings of letters and of submissions, in the order they were told.

-- name: keep
INSERT INTO finding (letter_id, submission_id, code, severity, file, line, sheet, cell, area, point, meter, channel, zone, start, "end", count, seen, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) -- sqlite
COPY finding (letter_id, submission_id, code, severity, file, line, sheet, cell, area, point, meter, channel, zone, start, "end", count, seen, detail) FROM STDIN -- postgresql

-- name: of_letter
SELECT *
FROM finding
WHERE letter_id = :letter
ORDER BY id

-- name: of_submissions
SELECT *
FROM finding
WHERE submission_id = ANY(:keys)
ORDER BY id
