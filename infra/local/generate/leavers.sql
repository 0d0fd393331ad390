-- Learners who are deactivated, in every way that SAP Knowledge Base Article 2305693 describes: run after the other
-- scripts, and only if such learners are asked for.
--
-- Of each set of 18 a third is deactivated by hand (`manual`), a third by a connector with cleanDevPlan = Y (`clean`)
-- and a third by one with N (`keep`); SuccessFactors has two such parameters, one for each of its user connectors.
-- Half of each leave the target population of their assignment profile by that (`excluded`). Later a third stay away,
-- a third are reactivated, and a third are rehired under a new student id. Their student ids say which they are.
--
--   day 0  they work; all of them have the same plan and the same history
--   day 1  they are deactivated, and move to another domain
--   day 2  profiles are synchronised; an admin moves a due date
--   day 3  some come back
--   day 4  the rehired complete what they were assigned anew
CREATE VIEW leaver AS
SELECT range AS k,
       ['manual', 'clean', 'keep'][1 + range % 3] AS way,
       range // 3 % 2 = 1 AS excluded,
       ['away', 'reactivated', 'rehired'][1 + range // 6 % 3] AS later,
       upper(concat_ws('-', way, CASE WHEN excluded THEN 'excluded' ELSE 'included' END, later, range // 18 + 1)) AS id,
       id || '-NEW' AS new_id,
       printf('LV%06d', range + 1) AS person,
       today() >= 1 AND NOT (later = 'reactivated' AND today() >= 3) AS off
FROM range(18 * getvariable('leavers'));

-- `done`: it is in the history, and in the plan if a plan row is kept; `cleaned` and `not_kept`: the plan row goes with
-- cleanDevPlan = Y and N. What an assignment profile has assigned, neither touches. Nothing in a package tells which
-- plan row belongs to a curriculum or to a learning activity.
CREATE VIEW leaver_item AS
FROM (VALUES
    ('TASK',            'COURSE', NULL,      NULL, false, true,  false),
    ('DONE',            'COURSE', NULL,      NULL, true,  false, false),
    ('SURVEY',          'SURVEY', NULL,      NULL, false, false, false),
    ('CLASS',           'COURSE', NULL,      'C1', false, true,  true),
    ('CURRICULUM',      'COURSE', NULL,      NULL, false, true,  false),
    ('CURRICULUM-DONE', 'COURSE', NULL,      NULL, true,  true,  false),
    ('PROGRAM',         'COURSE', 'PROGRAM', NULL, false, true,  false),
    ('PROGRAM-DONE',    'COURSE', 'PROGRAM', NULL, true,  true,  false),
    ('ACTIVITY',        'COURSE', NULL,      NULL, false, true,  false),
    ('PROFILE',         'COURSE', 'AP',      NULL, false, false, false)
) AS items (name, typ, origin, class, done, cleaned, not_kept);

CREATE VIEW leaver_PV_PARTNER_STUDENT AS
SELECT CASE WHEN today() >= 3 AND NOT off THEN 3 WHEN today() >= 1 THEN 1 ELSE 0 END AS _day,
       id AS STUD_ID, person AS PERSON_ID_EXTERNAL, CASE WHEN off THEN 'Y' ELSE 'N' END AS NOTACTIVE,
       first_name(k) AS FIRST_NAME, last_name(k) AS LAST_NAME, printf('leaver%d@example.com', k) AS EMAIL_ADDR,
       CASE WHEN off THEN 'FORMER' ELSE 'EMEA' END AS DMN_ID,
       CASE WHEN off THEN moment_of(1, 'leaver', k) END AS TERM_DTE, moment_of(_day, 'leaver', k) AS LST_UPD_TSTMP
FROM leaver
UNION ALL
SELECT 3, new_id, person, 'N', first_name(k), last_name(k), printf('leaver%d@example.com', k), 'EMEA', NULL,
       moment_of(3, 'leaver', k)
FROM leaver WHERE later = 'rehired' AND today() >= 3;

CREATE VIEW leaver_PA_CPNT AS
SELECT 0 AS _day, typ AS CPNT_TYP_ID, 'LEAVER-' || name AS CPNT_ID, at_second(-400 * 86400) AS REV_DTE,
       'For leavers: ' || lower(name) AS CPNT_TITLE, 30 AS CPNT_LEN, at_second(-86400) AS LST_UPD_TSTMP,
       REV_DTE AS CREATE_DTE, 'INTERNAL' AS CPNT_SRC_ID, 'COURSE' AS CPNT_CLASSIFICATION, 'N' AS NOTACTIVE
FROM (SELECT name, typ FROM leaver_item UNION ALL SELECT 'HISTORY', 'COURSE');
CREATE VIEW leaver_PA_CATALOG_ITEM AS
SELECT 0 AS _day, 'GENERAL' AS CATALOG_ID, CPNT_TYP_ID, CPNT_ID, REV_DTE FROM leaver_PA_CPNT;
CREATE VIEW leaver_PA_CPNT_TYPE AS
SELECT 0 AS _day, 'SURVEY' AS CPNT_TYP_ID, 'Survey' AS CPNT_TYP_DESC, 'ITEM' AS ENTITY_TYPE;

CREATE VIEW leaver_PA_STUD_CPNT AS
WITH kept AS (
    SELECT CASE WHEN name = 'TASK' AND today() >= 2 THEN 2 ELSE 0 END AS _day, id, typ, name, 1 AS seq, class, origin,
           -60 AS assigned
    FROM leaver, leaver_item
    WHERE NOT (today() >= 1 AND (way = 'clean' AND cleaned OR way = 'keep' AND not_kept))
      AND NOT (today() >= 2 AND excluded AND origin IS NOT DISTINCT FROM 'AP')
), anew AS (
    -- With Y the plan is gone for good, so it is assigned again; and profiles take back whom they had lost.
    SELECT 3 AS _day, CASE later WHEN 'rehired' THEN new_id ELSE id END, typ, name, 2, class, origin, 2
    FROM leaver, leaver_item
    WHERE today() >= 3 AND name IN ('TASK', 'PROFILE')
      AND (later = 'rehired' AND NOT (name = 'TASK' AND today() >= 4)
           OR later = 'reactivated' AND CASE name WHEN 'TASK' THEN way = 'clean' ELSE excluded END)
)
SELECT _day, id AS STUD_ID, typ AS CPNT_TYP_ID, 'LEAVER-' || name AS CPNT_ID, at_second(-400 * 86400) AS REV_DTE,
       seq AS SEQ_NUM, class AS SCHD_ID, origin AS ORIGIN, 'A' AS ADD_USER, at_second(assigned * 86400) AS ASSGN_DTE,
       at_second((assigned + 90 + CASE _day WHEN 2 THEN 30 ELSE 0 END) * 86400)::VARCHAR AS REQ_DTE, 'REQ' AS RTYP_ID,
       at_second(_day * 86400 - 1) AS LST_UPD_TSTMP
FROM (FROM kept UNION ALL FROM anew);

CREATE VIEW leaver_PA_CPNT_EVTHST AS
WITH event AS (
    SELECT 0 AS _day, id, name, -30 AS day FROM leaver, leaver_item WHERE done
    UNION ALL SELECT 0, id, 'HISTORY', -100 FROM leaver
    UNION ALL SELECT 4, new_id, 'TASK', 3 FROM leaver WHERE later = 'rehired' AND today() >= 4
)
SELECT _day, id AS STUD_ID, 'COURSE' AS CPNT_TYP_ID, 'LEAVER-' || name AS CPNT_ID,
       at_second(-400 * 86400) AS REV_DTE, at_second(day * 86400 + 3600) AS COMPL_DTE, 'COURSE_DONE' AS CMPL_STAT_ID,
       '1.00' AS TOTAL_HRS, at_second(_day * 86400 - 1) AS LST_UPD_TSTMP, 'USER001' AS LST_UPD_USR
FROM event;

-- Not read yet: enrolments are cancelled, programs and profiles lose them.
CREATE VIEW PA_ENROLL_SEAT AS
SELECT CASE WHEN cancelled THEN 1 ELSE 0 END AS _day, printf('SEAT-%d', k + 1) AS ENRL_SEAT_ID, id AS STUD_ID,
       'C1' AS SCHD_ID, CASE WHEN cancelled THEN 'CANCELED' ELSE 'ENROLLED' END AS ENRL_STAT_ID,
       at_second(-60 * 86400) AS ENRL_DTE, CASE WHEN cancelled THEN moment_of(1, 'leaver', k) END AS CANCEL_DTE
FROM (SELECT *, today() >= 1 AND way <> 'manual' AS cancelled FROM leaver);
CREATE VIEW leaver_PA_STUD_PROGRAM AS
SELECT 0 AS _day, upper(md5('program of ' || id)) AS STUD_PROGRAM_SYS_GUID,
       upper(md5('program 0')) AS PROGRAM_SYS_GUID, id AS STUD_ID
FROM leaver WHERE NOT (today() >= 1 AND way = 'clean');
CREATE VIEW leaver_PA_STUD_ASSGN_PRFL AS
SELECT 0 AS _day, id AS STUD_ID, 'PROFILE-0' AS AP_ID FROM leaver WHERE NOT (today() >= 2 AND excluded)
UNION ALL
SELECT 3, CASE later WHEN 'rehired' THEN new_id ELSE id END, 'PROFILE-0' FROM leaver
WHERE today() >= 3 AND (later = 'rehired' OR later = 'reactivated' AND excluded);
CREATE VIEW leaver_directory AS
SELECT md5(getvariable('seed') || 'leaver' || k)::UUID AS id, person AS "employeeId", true AS "accountEnabled",
       'Member' AS "userType", true AS licensed
FROM leaver;

-- Every table is that of the company, and these rows below.
ALTER VIEW PV_PARTNER_STUDENT RENAME TO company_PV_PARTNER_STUDENT;
CREATE VIEW PV_PARTNER_STUDENT AS
FROM company_PV_PARTNER_STUDENT UNION ALL BY NAME FROM leaver_PV_PARTNER_STUDENT;
ALTER VIEW PA_CPNT RENAME TO company_PA_CPNT;
CREATE VIEW PA_CPNT AS FROM company_PA_CPNT UNION ALL BY NAME FROM leaver_PA_CPNT;
ALTER VIEW PA_CPNT_TYPE RENAME TO company_PA_CPNT_TYPE;
CREATE VIEW PA_CPNT_TYPE AS FROM company_PA_CPNT_TYPE UNION ALL BY NAME FROM leaver_PA_CPNT_TYPE;
ALTER VIEW PA_CATALOG_ITEM RENAME TO company_PA_CATALOG_ITEM;
CREATE VIEW PA_CATALOG_ITEM AS FROM company_PA_CATALOG_ITEM UNION ALL BY NAME FROM leaver_PA_CATALOG_ITEM;
ALTER VIEW PA_STUD_CPNT RENAME TO company_PA_STUD_CPNT;
CREATE VIEW PA_STUD_CPNT AS FROM company_PA_STUD_CPNT UNION ALL BY NAME FROM leaver_PA_STUD_CPNT;
ALTER VIEW PA_CPNT_EVTHST RENAME TO company_PA_CPNT_EVTHST;
CREATE VIEW PA_CPNT_EVTHST AS FROM company_PA_CPNT_EVTHST UNION ALL BY NAME FROM leaver_PA_CPNT_EVTHST;
ALTER VIEW PA_STUD_PROGRAM RENAME TO company_PA_STUD_PROGRAM;
CREATE VIEW PA_STUD_PROGRAM AS FROM company_PA_STUD_PROGRAM UNION ALL BY NAME FROM leaver_PA_STUD_PROGRAM;
ALTER VIEW PA_STUD_ASSGN_PRFL RENAME TO company_PA_STUD_ASSGN_PRFL;
CREATE VIEW PA_STUD_ASSGN_PRFL AS
FROM company_PA_STUD_ASSGN_PRFL UNION ALL BY NAME FROM leaver_PA_STUD_ASSGN_PRFL;
ALTER VIEW directory RENAME TO company_directory;
CREATE VIEW directory AS FROM company_directory UNION ALL BY NAME FROM leaver_directory;
