-- An invented company's learning system, as a function of (seed, sizes, day).
--
-- Every row is computed from its number alone: nothing is stored and nothing is joined, so that millions of
-- rows cost seconds and no memory. `today()` is the number of the day, 0 being the first one.
-- Each view is one table of a package; `_day` is the day its row last changed (0: before the first day), so
-- a delta of a day is `WHERE _day = today()`, and what no longer exists is simply not there.
-- The numbers below a `%` plant the cases that a reader has to get right; they are remarked where they are.

-- ---------------------------------------------------------------- settings (variables of the connection)
CREATE MACRO today() AS getvariable('today');
CREATE MACRO learners() AS getvariable('learners');
CREATE MACRO learner_births() AS getvariable('learner_births');
CREATE MACRO items() AS getvariable('items');
CREATE MACRO item_births() AS getvariable('item_births');
CREATE MACRO assignments() AS getvariable('assignments');
CREATE MACRO assignment_births() AS getvariable('assignment_births');
CREATE MACRO completions() AS getvariable('completions');
CREATE MACRO completion_births() AS getvariable('completion_births');

-- ---------------------------------------------------------------- chance
CREATE MACRO pick(stream, i, n) AS (hash(getvariable('seed'), stream, i) % n)::BIGINT;
CREATE MACRO one_of(choices, stream, i) AS choices[1 + pick(stream, i, len(choices))];

-- ---------------------------------------------------------------- time
CREATE MACRO at_second(n) AS getvariable('first_day')::TIMESTAMP + to_seconds(n);
-- Some second of the 24 hours before the midnight of that day; of the year before the first day for day 0.
CREATE MACRO second_of(day, stream, i) AS
    day * 86400 - 1 - pick(stream, i, CASE WHEN day = 0 THEN 31536000 ELSE 86399 END);
CREATE MACRO moment_of(day, stream, i) AS at_second(second_of(day, stream, i));
-- The day on which row i is born: the first `base` rows before the first day, then `births` a day.
CREATE MACRO born(i, base, births) AS CASE WHEN i < base THEN 0 ELSE 1 + (i - base) // greatest(births, 1) END;
-- Each row meets each event on one day of a period; every day has the same share of the rows, at least one.
CREATE MACRO period(base, days) AS greatest(least(days, base), 1);
CREATE MACRO event_day(stream, i, birth, base, days) AS
    birth + 1 + ((i + pick(stream, 0, 1000000)) * 7919) % period(base, days);
-- The day of an event that happens once; NULL while it has not.
CREATE MACRO once(stream, i, birth, base, days) AS
    CASE WHEN event_day(stream, i, birth, base, days) <= today() THEN event_day(stream, i, birth, base, days) END;
-- How often an event that comes back has happened, and the day of the last time (0: never).
CREATE MACRO times(stream, i, birth, base, days) AS
    greatest(0, (today() - event_day(stream, i, birth, base, days) + period(base, days)) // period(base, days));
CREATE MACRO last_time(stream, i, birth, base, days) AS
    CASE WHEN event_day(stream, i, birth, base, days) <= today()
         THEN today() - (today() - event_day(stream, i, birth, base, days)) % period(base, days) ELSE 0 END;

-- ---------------------------------------------------------------- learners
-- Every 50th person has a second student id; those come after the first ids, and before the new learners.
CREATE MACRO twins() AS (learners() + 42) // 50;
CREATE MACRO students() AS learners() + twins();
CREATE MACRO newcomers() AS today() * learner_births();
CREATE MACRO person_of(s) AS
    CASE WHEN s < learners() THEN s WHEN s < students() THEN (s - learners()) * 50 + 7 ELSE s - twins() END;
CREATE MACRO stud_id(s) AS printf('U%07d', s + 1);
-- Eight digits, one in ten with leading zeros; one person in a hundred has an id with letters.
CREATE MACRO person_id(p) AS
    CASE WHEN p % 100 = 53 THEN printf('EX%06d', p // 100)
         ELSE printf('%08d', (p * 1299709 + pick('person', 0, 99999989)) % 99999989) END;
CREATE MACRO first_name(i) AS
    one_of(['Ana', 'Björn', 'Chloé', 'Dmitri', 'Elif', 'François', 'Grace', 'Hiroko', 'Jürgen', 'Zoë'], 'first', i);
CREATE MACRO last_name(i) AS
    one_of(['Müller', 'O''Brien', 'García', 'Nowak', 'Smith', 'd''Angelo', 'Yılmaz', 'Sørensen', 'Li', 'Øst'], 'last', i);

CREATE VIEW PV_PARTNER_STUDENT AS
WITH numbered AS (
    SELECT range AS s, born(range, students(), learner_births()) AS birth FROM range(students() + newcomers())
), lived AS (
    SELECT s, person_of(s) AS p, birth,
           once('leave', s, birth, learners(), 1000) AS left_on,
           last_time('move', s, birth, learners(), 1000) AS moved_on,
           times('move', s, birth, learners(), 1000) AS moves
    FROM numbered
)
SELECT greatest(birth, left_on, moved_on) AS _day,
       stud_id(s) AS STUD_ID,
       person_id(p) AS PERSON_ID_EXTERNAL,
       CASE WHEN left_on IS NOT NULL OR s % 40 = 3 OR (s >= learners() AND s < students() AND s % 2 = 0)
            THEN 'Y' ELSE 'N' END AS NOTACTIVE,
       first_name(p) AS FIRST_NAME,
       last_name(p) AS LAST_NAME,
       printf('learner%d@example.com', p) AS EMAIL_ADDR,
       ['PUBLIC', 'EMEA', 'AMERICAS', 'APJ'][1 + (pick('domain', p, 4) + moves) % 4] AS DMN_ID,
       moment_of(left_on, 'left', s) AS TERM_DTE,
       moment_of(greatest(birth, left_on, moved_on), 'student', s) AS LST_UPD_TSTMP
FROM lived;

-- ---------------------------------------------------------------- items
-- Ids are free text: every 50th has a slash, a comma and quotes, and another 50th shares its id with an item
-- of another type.
CREATE MACRO item_type(j) AS
    CASE j % 50 WHEN 32 THEN 'COURSE' WHEN 33 THEN 'EXAM'
         ELSE one_of(['COURSE', 'COURSE', 'COURSE', 'COURSE', 'EXAM', 'DOC', 'VIDEO'], 'type', j) END;
CREATE MACRO item_id_of(n) AS
    CASE WHEN n % 50 = 21 THEN printf('ISO 27001/A, "2022" %05d', n + 1)
         ELSE printf('%s-%05d', one_of(['SAFE', 'PRIV', 'LEAD', 'IT', 'SALES', 'LANG'], 'prefix', n), n + 1) END;
CREATE MACRO item_id(j) AS item_id_of(CASE WHEN j % 50 = 33 THEN j - 1 ELSE j END);
-- Some items have two or three revisions from the start, and any may get one more.
CREATE MACRO revisions(j) AS CASE WHEN j % 10 = 4 THEN 2 WHEN j % 50 = 9 THEN 3 ELSE 1 END;
CREATE MACRO revised_on(j) AS once('revise', j, born(j, items(), item_births()), items(), 2000);
CREATE MACRO revision_date(j, r) AS
    at_second(CASE WHEN r < revisions(j) THEN (250 * r - 700 - pick('revision', j, 200)) * 86400 + 32400
                   ELSE (event_day('revise', j, born(j, items(), item_births()), items(), 2000) - 1) * 86400 END);
-- Titles and descriptions are label ids; every 25th title is plain text, and a third have no description.
CREATE MACRO title_of(j) AS
    CASE WHEN j % 25 = 3 THEN printf('Plain title %d', j + 1) ELSE printf('label.PA_CPNT.TITLE.%d', j + 1) END;
CREATE MACRO description_of(j) AS CASE WHEN j % 3 <> 0 THEN printf('label.PA_CPNT.DESC.%d', j + 1) END;

CREATE VIEW item AS
SELECT range AS j, born(range, items(), item_births()) AS birth FROM range(items() + today() * item_births());

CREATE VIEW PA_CPNT AS
WITH revised AS (
    SELECT j, birth, once('retire', j, birth, items(), 1000) AS retired_on, revised_on(j) AS revised_on,
           unnest(range(revisions(j) + (revised_on(j) IS NOT NULL)::INTEGER)) AS r
    FROM item
), dated AS (
    SELECT *, greatest(CASE WHEN r < revisions(j) THEN birth ELSE revised_on END, retired_on) AS changed FROM revised
)
SELECT changed AS _day,
       item_type(j) AS CPNT_TYP_ID,
       item_id(j) AS CPNT_ID,
       revision_date(j, r) AS REV_DTE,
       title_of(j) AS CPNT_TITLE,
       description_of(j) AS CPNT_DESC,
       one_of([15, 30, 45, 60, 90, 120, 240, NULL], 'length', j) AS CPNT_LEN,
       CASE WHEN pick('picture', j, 10) < 6
            THEN printf('https://learning.example.com/thumbnails/%d.png?size=m&v=%d', j, r) END AS THUMBNAIL_URI,
       moment_of(changed, 'item', j) AS LST_UPD_TSTMP,
       revision_date(j, 0) AS CREATE_DTE,
       one_of(['INTERNAL', 'LINKEDIN', 'VENDOR', 'PARTNER', NULL], 'source', j) AS CPNT_SRC_ID,
       one_of(['ONLINE', 'ILT', 'BLENDED'], 'method', j) AS DEL_MTH_ID,
       'COURSE' AS CPNT_CLASSIFICATION,
       -- Every 60th item is inactive; older revisions often are; some have an inactive newest revision.
       CASE WHEN j % 60 = 17 OR retired_on IS NOT NULL OR (j % 50 = 9 AND r = 2)
              OR (j % 10 = 4 AND r = 0 AND pick('old', j, 2) = 0) THEN 'Y' ELSE 'N' END AS NOTACTIVE,
       'PUBLIC' AS DMN_ID,
       first_name(j + 7) || ' ' || last_name(j + 7) AS CONTACT,
       'All employees' AS TGT_AUDNC
FROM dated;

-- ---------------------------------------------------------------- texts
CREATE MACRO topic(locale, j) AS
    one_of(CASE locale
        WHEN 'German' THEN ['Arbeitssicherheit', 'Datenschutz', 'Führung', 'Brandschutz für Büros', 'Vertrieb']
        WHEN 'French' THEN ['Sécurité au travail', 'Protection des données', 'Leadership', 'L''incendie', 'Vente']
        ELSE ['Safety at work', 'Data protection', 'Leadership', 'Fire safety, offices', 'Sales'] END, 'topic', j);

CREATE VIEW PV_I18N_ACTIVE_LOCALE_LABEL AS
WITH spoken AS (
    -- One to three languages; every 20th item speaks German only.
    SELECT j, birth,
           unnest(CASE WHEN j % 20 = 6 THEN ['German']
                       ELSE ['English', 'German', 'French'][1 : 1 + pick('locales', j, 3)] END) AS locale
    FROM item
), titles AS (
    SELECT CASE WHEN j % 40 = 11 THEN birth ELSE greatest(birth, last_time('rename', j, birth, items(), 500)) END
               AS _day,
           title_of(j) AS LABEL_ID, locale AS LOCALE_ID,
           -- Every 40th title is an empty label, and another 40th has no label at all.
           CASE WHEN j % 40 <> 11 THEN
               CASE WHEN j % 15 = 2 THEN printf('"%s", the basics: a, b; c ', topic(locale, j))
                    WHEN j % 35 = 8 THEN topic(locale, j) || chr(10) || 'in two lines '
                    WHEN j % 45 = 12 THEN topic(locale, j) || ' – 安全 ☕ Ünïcödé, Cafe' || chr(769) || ' '
                    ELSE topic(locale, j) || ' ' END
               || printf('%d', j + 1)
               || CASE times('rename', j, birth, items(), 500)
                    WHEN 0 THEN '' ELSE printf(' (edition %d)', 1 + times('rename', j, birth, items(), 500)) END
           END AS LABEL_VALUE
    FROM spoken WHERE j % 25 <> 3 AND j % 40 <> 31
), descriptions AS (
    SELECT birth AS _day, description_of(j) AS LABEL_ID, locale AS LOCALE_ID,
           topic(locale, j) || ': what to know.' || chr(10) || '• "first", second' || chr(10) || '• third | fourth'
               AS LABEL_VALUE
    FROM spoken WHERE j % 3 <> 0
), fixed AS (
    SELECT 0 AS _day, unnest(['label.TYPE.COURSE', 'label.TYPE.EXAM', 'label.TYPE.DOC', 'label.TYPE.VIDEO',
                              'label.STATUS.DONE', 'label.STATUS.OPEN']) AS LABEL_ID,
           'English' AS LOCALE_ID,
           unnest(['Course', 'Exam', 'Document', 'Video', 'Completed', 'Not completed']) AS LABEL_VALUE
)
FROM titles UNION ALL FROM descriptions UNION ALL FROM fixed;

-- ---------------------------------------------------------------- small tables
CREATE VIEW PA_CPNT_SRC AS
SELECT 0 AS _day, unnest(['INTERNAL', 'LINKEDIN', 'VENDOR', 'PARTNER']) AS CPNT_SRC_ID,
       unnest(['Acme Academy', 'LinkedIn Learning', 'Vendors, others', 'Partner "Plus"']) AS CPNT_SRC_DESC;
CREATE VIEW PA_CPNT_TYPE AS
SELECT 0 AS _day, unnest(['COURSE', 'EXAM', 'DOC', 'VIDEO']) AS CPNT_TYP_ID,
       'label.TYPE.' || CPNT_TYP_ID AS CPNT_TYP_DESC, 'ITEM' AS ENTITY_TYPE;
CREATE VIEW PA_RQMT_TYPE AS
SELECT 0 AS _day, unnest(['REQ', 'REC', 'OPT']) AS RTYP_ID,
       unnest(['Required', 'Recommended', 'Optional']) AS RTYP_DESC, unnest(['Y', 'N', 'N']) AS REQUIRED;
-- One status with credit and one without for each type. The status LEGACY, which some completions have, is
-- defined nowhere.
CREATE VIEW PA_CMPL_STAT AS
SELECT 0 AS _day, typ || '_' || status AS CMPL_STAT_ID, typ AS CPNT_TYP_ID,
       'label.STATUS.' || status AS CMPL_STAT_DESC, CASE status WHEN 'DONE' THEN 'Y' ELSE 'N' END AS PROVIDE_CRDT
FROM (SELECT unnest(['COURSE', 'EXAM', 'DOC', 'VIDEO']) AS typ), (SELECT unnest(['DONE', 'OPEN']) AS status);
CREATE VIEW PA_CATALOG AS
SELECT 0 AS _day, unnest(['GENERAL', 'SAFETY', 'IT', 'RETIRED']) AS CATALOG_ID,
       unnest(['Y', 'Y', 'Y', 'N']) AS ACTIVE, CATALOG_ID || ' library' AS CATALOG_DESC;
-- Every 40th item is in a retired library only, and every 60th in none.
CREATE VIEW PA_CATALOG_ITEM AS
SELECT birth AS _day,
       unnest(CASE WHEN j % 40 = 13 THEN ['RETIRED'] WHEN j % 4 = 1 THEN ['GENERAL', 'SAFETY', 'RETIRED']
                   ELSE [one_of(['GENERAL', 'SAFETY', 'IT'], 'library', j)] END) AS CATALOG_ID,
       item_type(j) AS CPNT_TYP_ID, item_id(j) AS CPNT_ID, revision_date(j, 0) AS REV_DTE
FROM item WHERE j % 60 <> 19;
CREATE VIEW PA_PROGRAM AS
SELECT 0 AS _day, upper(md5(printf('program %d', range))) AS PROGRAM_SYS_GUID,
       printf('PROGRAM-%d', range) AS PROGRAM_ID, 'Onboarding, part ' || range AS PROGRAM_TITLE, 'Y' AS ACTIVE
FROM range(3);
CREATE VIEW PA_STUD_PROGRAM AS
SELECT 0 AS _day, upper(md5(printf('student program %d', range))) AS STUD_PROGRAM_SYS_GUID,
       upper(md5(printf('program %d', range % 3))) AS PROGRAM_SYS_GUID, stud_id(range) AS STUD_ID
FROM range(least(learners(), 20));
CREATE VIEW PA_STUD_ASSGN_PRFL AS
SELECT 0 AS _day, stud_id(range) AS STUD_ID, printf('PROFILE-%d', range % 4) AS AP_ID
FROM range(least(learners(), 20));
