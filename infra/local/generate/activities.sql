-- What learners have to do and have done: the second half of `world.sql`, whose macros it uses.

-- ---------------------------------------------------------------- assignments
-- The first two of every student are of the most popular items. Of each day's new ones a fifth goes to that
-- day's new learners, and a seventh is of that day's new item.
CREATE MACRO assignment_birth(i) AS born(i, assignments(), assignment_births());
CREATE MACRO assigned_student(i) AS
    CASE WHEN i < assignments() THEN (i + pick('turn', 0, students())) % students()
         WHEN i % 5 = 0 AND learner_births() > 0
         THEN students() + (assignment_birth(i) - 1) * learner_births() + (i // 5) % learner_births()
         ELSE pick('assigned student', i, students()) END;
CREATE MACRO assigned_item(i) AS
    CASE WHEN i >= assignments() AND i % 7 = 0 AND item_births() > 0
         THEN items() + (assignment_birth(i) - 1) * item_births()
         WHEN i < 2 * students() THEN (i % students() + 3 * (i // students())) % least(items(), 8)
         ELSE pick('assigned item', i, items()) END;
CREATE MACRO assigned_revision(i, j) AS revision_date(j, pick('assigned revision', i, revisions(j)));
CREATE MACRO assigned_second(i) AS
    CASE WHEN i < assignments() THEN (pick('assigned', i, 345) - 365) * 86400 + pick('assigned hour', i, 86400)
         ELSE second_of(assignment_birth(i), 'assigned', i) END;

-- A plan row goes when it is completed, or without that; whichever comes first.
CREATE VIEW planned AS
WITH numbered AS (
    SELECT range AS i, assignment_birth(range) AS birth FROM range(assignments() + today() * assignment_births())
)
SELECT i, birth,
       once('complete', i, birth, assignments(), 500) AS completed_on,
       once('withdraw', i, birth, assignments(), 2000) AS withdrawn_on
FROM numbered;

CREATE VIEW PA_STUD_CPNT AS
WITH standing AS (
    SELECT i, assigned_student(i) AS s, assigned_item(i) AS j,
           greatest(birth, last_time('shift', i, birth, assignments(), 1000)) AS changed,
           assigned_second(i) AS second,
           30 + pick('due', i, 300) + 7 * times('shift', i, birth, assignments(), 1000) AS days,
           pick('due kind', i, 100) AS due_kind, pick('assigner', i, 10) AS assigner
    FROM planned WHERE completed_on IS NULL AND withdrawn_on IS NULL
)
SELECT changed AS _day,
       stud_id(s) AS STUD_ID,
       item_type(j) AS CPNT_TYP_ID,
       item_id(j) AS CPNT_ID,
       assigned_revision(i, j) AS REV_DTE,
       i + 1 AS SEQ_NUM,
       NULL AS SCHD_ID,
       one_of(['AP', 'PROGRAM', NULL, NULL], 'origin', i) AS ORIGIN,
       one_of(['P', 'A', 'S'], 'adder', i) AS ADD_USER,
       -- One in a hundred has no assignment date; one in seven no due date, one in ten a date without a time.
       CASE WHEN pick('undated', i, 100) > 0 THEN at_second(second) END AS ASSGN_DTE,
       CASE WHEN due_kind < 75 THEN at_second(second + days * 86400)::VARCHAR
            WHEN due_kind < 85 THEN at_second(second + days * 86400)::DATE::VARCHAR END AS REQ_DTE,
       one_of(['REQ', 'REQ', 'REQ', 'REQ', 'REC', 'OPT', NULL], 'requirement', i) AS RTYP_ID,
       -- Half were assigned by another learner, some by an account that is nobody.
       CASE WHEN assigner < 5 THEN stud_id(pick('assigning student', i, least(learners(), 20)))
            WHEN assigner = 5 THEN 'ADMIN_01' END AS ASSGN_USER,
       moment_of(changed, 'assignment', i) AS LST_UPD_TSTMP
FROM standing;

-- ---------------------------------------------------------------- completions
-- Of twenty: five complete an assignment of the plan, one came before its assignment, one is a retraining of
-- the one before it; of a hundred two are the same event under both student ids of one person.
CREATE VIEW past AS
WITH numbered AS (
    SELECT range AS c, born(range, completions(), completion_births()) AS birth, range < completions() AS base
    FROM range(completions() + today() * completion_births())
), kinds AS (
    SELECT c, birth,
           base AND assignments() > 0 AND c % 20 < 6 AS planned,
           base AND twins() > 0 AND c % 100 IN (18, 19) AS twin,
           CASE WHEN base AND (c % 20 = 7 OR c % 100 = 19) THEN c - 1 ELSE c END AS model,
           (c * 1000003 + pick('completed', 0, 1000000)) % greatest(assignments(), 1) AS i
    FROM numbered
    WHERE once('purge', c, birth, completions(), 5000) IS NULL
)
SELECT c, birth, last_time('amend', c, birth, completions(), 2000) AS amended_on,
       times('amend', c, birth, completions(), 2000) AS amends,
       CASE WHEN planned THEN assigned_student(i)
            WHEN twin THEN CASE WHEN c % 100 = 18 THEN (c // 100 % twins()) * 50 + 7
                                ELSE learners() + c // 100 % twins() END
            ELSE pick('past student', model, students()) END AS s,
       CASE WHEN planned THEN assigned_item(i) ELSE pick('past item', model, items()) END AS j,
       CASE WHEN birth > 0 THEN second_of(birth, 'past', c)
            WHEN planned AND c % 20 = 5 THEN assigned_second(i) - (1 + pick('before', c, 100)) * 86400
            WHEN planned THEN assigned_second(i) + 3600 + pick('after', c, 18) * 86400
            ELSE -86400 * (1 + pick('past', CASE WHEN twin THEN model ELSE c END, 730)) + (c * 7919) % 86400
       END AS done_second,
       CASE WHEN twin THEN 0 ELSE pick('past status', c, 100) END AS luck,
       pick('past remark', c, 10) AS remark
FROM kinds;

CREATE VIEW done AS
WITH events AS (
    SELECT greatest(birth, amended_on) AS _day, c AS number, s, j, revision_date(j, 0) AS revision,
           at_second(done_second) AS completed_at, amends, luck, remark
    FROM past
    UNION ALL
    SELECT completed_on, -1 - i, s, j, assigned_revision(i, j), moment_of(completed_on, 'done', i), 0, 0,
           pick('done remark', i, 10)
    FROM (SELECT *, assigned_student(i) AS s, assigned_item(i) AS j FROM planned
          WHERE completed_on <= coalesce(withdrawn_on, completed_on))
)
SELECT *, item_type(j) AS typ FROM events;

CREATE VIEW PA_CPNT_EVTHST AS
SELECT _day,
       stud_id(s) AS STUD_ID,
       typ AS CPNT_TYP_ID,
       item_id(j) AS CPNT_ID,
       revision AS REV_DTE,
       completed_at AS COMPL_DTE,
       -- One in a hundred has a status that nobody defined, one in eight gives no credit.
       CASE WHEN luck < 86 THEN typ || '_DONE' WHEN luck < 99 THEN typ || '_OPEN' ELSE 'LEGACY' END AS CMPL_STAT_ID,
       CASE WHEN remark = 1 THEN printf('C%d', 1000 + abs(number) % 50) END AS SCHD_ID,
       printf('%.2f', 0.25 * (1 + pick('hours', number, 16) + amends)) AS TOTAL_HRS,
       CASE WHEN remark < 4 THEN first_name(number) || ' ' || last_name(number) END AS INST_NAME,
       CASE WHEN remark = 2 THEN printf('%d', 50 + abs(number) % 51) END AS GRADE,
       CASE WHEN remark = 3 THEN 'Said: "well done",' || chr(10) || 'came | late; left early' END AS COMMENTS,
       moment_of(_day, 'completion', number) AS LST_UPD_TSTMP,
       printf('USER%03d', abs(number) % 200) AS LST_UPD_USR
FROM done;

-- ---------------------------------------------------------------- the directory
-- The Entra users that belong to these learners. Of a hundred persons one each has: no user, two enabled
-- users, a disabled one, one whose employee id almost fits, one in other letters, a guest only, a disabled one
-- beside the enabled one, a guest beside it, no licence, and an employee id with a space behind it.
-- One user in ten is no learner at all.
CREATE VIEW directory AS
WITH persons AS (
    SELECT range AS p, range % 100 AS kind, person_id(range) AS employee
    FROM range(learners() + newcomers())
), users AS (
    SELECT printf('user %d', p) AS name,
           CASE kind WHEN 53 THEN lower(employee) WHEN 91 THEN employee || ' '
                WHEN 41 THEN CASE p // 100 % 3 WHEN 0 THEN '00' || employee
                                               WHEN 1 THEN employee[1:4] || '-' || employee[5:]
                                               ELSE 'No. 0' || employee END
                ELSE employee END AS employee,
           kind <> 29 AS enabled,
           CASE kind WHEN 59 THEN 'Guest' ELSE 'Member' END AS user_type,
           kind <> 83 AS licensed
    FROM persons WHERE kind <> 3
    UNION ALL
    SELECT printf('second user %d', p), employee, kind <> 67,
           CASE kind WHEN 71 THEN 'Guest' ELSE 'Member' END, true
    FROM persons WHERE kind IN (17, 67, 71)
    UNION ALL
    SELECT printf('stranger %d', range), CASE WHEN range % 2 = 0 THEN printf('9%08d', range) END,
           range % 7 <> 0, 'Member', range % 3 <> 0
    FROM range(1 + learners() // 10)
)
SELECT md5(getvariable('seed') || name)::UUID AS id, employee AS "employeeId", enabled AS "accountEnabled",
       user_type AS "userType", licensed
FROM users;
