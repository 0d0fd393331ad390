"""What every public code means and how it is mended, in words for an admin.

`docs/errors.md` is written from this, and whatever shows a code to a person may show these words beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.errors import Code
from shared.domain.runs import Outcome


@dataclass(frozen=True, slots=True)
class Explanation:
    """One code in plain words."""

    ends_as: Outcome
    """The outcome of a run that this code stands for; `PARTIAL` for codes of single rows, files and records."""
    what: str
    mend: str


def _failed(what: str, mend: str) -> Explanation:
    return Explanation(Outcome.FAILED, what, mend)


def _rejected(what: str, mend: str) -> Explanation:
    return Explanation(Outcome.REJECTED, what, mend)


def _halted(what: str, mend: str) -> Explanation:
    return Explanation(Outcome.HALTED, what, mend)


def _partial(what: str, mend: str) -> Explanation:
    return Explanation(Outcome.PARTIAL, what, mend)


EXPLANATIONS: Mapping[Code, Explanation] = {
    Code.INVALID_CREDENTIALS: _failed(
        "The SFTP server, or the LMS that records go back to, refused the login.",
        "Compare `sftp.user` and `sftp.login` with what the server expects. After a password or key was changed "
        "there, add it as a new version of the secret named in `sftp.secret`. For the LMS, add a "
        "client secret or API key that was made anew as a new version of the secret named in "
        "`write_back.target.secret`: the earlier ones are good no longer.",
    ),
    Code.ACCESS_DENIED: _failed(
        "The SFTP user may not list or read the folder; or the LMS that records go back to lacks a right.",
        "Have the user given read rights on `sftp.folder` and the files in it. For the LMS, give the administrator "
        "named in `write_back.target.admin_user_id` the rights for the Open Content Network, users and learning "
        "history.",
    ),
    Code.INITIAL_PACKAGE_NOT_FOUND: _failed(
        "The folder holds files but no full package, more than 7 working days after the connection was enabled.",
        "Check `sftp.folder` against the path of PARTNER_EXTRACT in SuccessFactors, and that the partner is enabled "
        "there. Ask SAP support if the package was never made.",
    ),
    Code.DELTA_PACKAGE_NOT_FOUND: _failed(
        "No new delta came within `delta_expected_hours` of the last package; or the delta of a day is missing and "
        "`on_gap` is `stop`.",
        "Check the extract job in SuccessFactors and the folder. A new full package brings everything that a missing "
        "delta held.",
    ),
    Code.NO_FILES_FOUND: _failed(
        "The folder is empty, more than 7 working days after the connection was enabled.",
        "Check `sftp.folder`, and that PARTNER_EXTRACT writes to this server. Hosted SuccessFactors servers delete "
        "files after 14 days; a full package that is gone has to be made again.",
    ),
    Code.PACKED_SIZE_EXCEEDED: _rejected(
        "The package is larger than `packed_limit_bytes`; it was not downloaded.",
        "Have a smaller package made. Or raise the limit; the package is then tried again.",
    ),
    Code.UNPACKED_SIZE_EXCEEDED: _rejected(
        "The unpacked files are larger than `unpacked_limit_bytes`. It is counted while reading; what the archive "
        "says of its own size is not believed.",
        "Have a smaller package made. Or raise the limit; the package is then tried again.",
    ),
    Code.NO_MATCHING_KEY: _rejected(
        "No enabled version of the OpenPGP secret opens the package. The message names the key ids it was sealed for.",
        "Enable, or add, the version of the key with that id. If the key is lost, give the LMS your current public "
        "key and have a new full package made.",
    ),
    Code.PASSPHRASE_INVALID: _rejected(
        "The right OpenPGP key is there, but no enabled passphrase unlocks it.",
        "Add the passphrase of that key as a version of the secret named in `pgp_passphrase_secret`. Versions of "
        "older keys stay enabled beside it.",
    ),
    Code.NOT_OPENPGP: _rejected(
        "The file is not an OpenPGP message, whatever its name says.",
        "Look at what writes into the folder. The package has to be delivered again.",
    ),
    Code.PACKAGE_DAMAGED: _rejected(
        "The package is cut off or altered: its integrity check, a checksum or the archive's directory is wrong. Or "
        "the sealed package has gone from storage.",
        "Have it delivered again; the same name with other content counts as a new package.",
    ),
    Code.PACKAGE_UNPROTECTED: _rejected(
        "The package is not encrypted, or is encrypted without integrity protection, so that it could have been "
        "altered unnoticed.",
        "The sender must encrypt with integrity protection (MDC or AEAD), as every current OpenPGP program does.",
    ),
    Code.NOT_A_ZIP: _rejected(
        "The package decrypts well, but what is inside is no zip archive.",
        "Check the extract in SuccessFactors, and that nobody repacks the files on the way.",
    ),
    Code.ARCHIVE_UNSAFE: _rejected(
        "The archive holds a path that leads outside it, a link, a file with a password of its own, more than "
        "1,000 files, or text that is denser than any: more than 64 MiB, and more than 200 times the archive.",
        "No LMS writes such archives. Find out where the package comes from before you have another one made.",
    ),
    Code.ARCHIVE_UNSTREAMABLE: _rejected(
        "The archive is packed in a way that cannot be read as a stream.",
        "Have it packed with the usual compression (deflate).",
    ),
    Code.FILE_AMBIGUOUS: _rejected(
        "The package holds the same table twice, and nobody can say which one counts.",
        "Have the package made again. If both files are right, their names need different entries in the profile.",
    ),
    Code.FILE_MISSING: _rejected(
        "A full package came without the learner file, while learner sync is on.",
        "Have it made again with that file; or switch `learner_sync` off and sync the catalog only.",
    ),
    Code.COLUMN_MISSING: _partial(
        "A file lacks a column that is needed, so the whole file was left out. What depends on it waits.",
        "Compare the header with the profile; the message names a similar column if there is one. A renamed column "
        "is an alias in the profile.",
    ),
    Code.REJECT_LIMIT: _rejected(
        "More rows were refused than `reject_limit_percent` or `reject_limit_count` allows. Nothing was published.",
        "Read the reject report. Correct the rows at the source, the profile if the format has changed, or the limit.",
    ),
    Code.HOST_KEY_CHANGED: _failed(
        "The SFTP server shows another host key than the pinned one. Nothing was sent to it.",
        "Ask the provider whether the key was changed. Only then put the new one into `sftp.host_key`.",
    ),
    Code.FOLDER_NOT_FOUND: _failed(
        "The folder does not exist on the SFTP server.",
        "Correct `sftp.folder`, or have the folder made.",
    ),
    Code.SERVER_UNREACHABLE: _failed(
        "The SFTP server could not be reached, or hung up several times without progress.",
        "Check `sftp.host` and `sftp.port`, and that the server's allow list holds the app's outbound address. The "
        "next look goes on where the download stopped.",
    ),
    Code.SIGNATURE_INVALID: _rejected(
        "The package's signature is wrong; or `require_signature` is on and there is no good signature by a known key.",
        "A wrong signature is no accident: find out where the package comes from. For a required one, put the "
        "signer's public key into the secret with the OpenPGP key.",
    ),
    Code.COVERAGE_BELOW_MINIMUM: _halted(
        "Fewer learners were found in Entra than `coverage_minimum_percent` asks for. Nothing was sent.",
        "Look at the counts of the run. Near misses point to other spellings of the id (see `person_id_rules`), many "
        "unmatched ones to an attribute that is empty in Entra, or another one than `directory_attribute`. Correct "
        "Entra or the setting, or approve the run.",
    ),
    Code.MASS_CHANGE: _halted(
        "The package would withdraw more assignments, or deactivate more contents, than `mass_change_percent` or "
        "`mass_change_count` allows. Nothing was sent.",
        "Find out whether the package is complete. If it is right, approve the run; if not, have a new full package "
        "made, which takes its place.",
    ),
    Code.ITEM_LIMIT: _partial(
        "There are more items than `active_item_limit` or `total_item_limit` allows. Those that are published keep "
        "their place; the others were left out.",
        "Deactivate items in the LMS. Raise the limits only if Viva Learning takes more.",
    ),
    Code.FULL_PACKAGE_NEEDED: _partial(
        "Learner sync was switched on after the last full package, so a delta has nothing to stand on. The catalog "
        "goes on meanwhile.",
        "Have a new full package made in SuccessFactors.",
    ),
    Code.GRAPH_PERMISSION_MISSING: _failed(
        "Graph refuses the app: an app role is missing, the tenant has no fitting licence, or the token is refused.",
        "Grant the app roles listed in the README to the app's managed identity. A role granted a moment ago may take "
        "a day to reach its tokens. Check that the tenant has Viva Learning or Viva Suite.",
    ),
    Code.GRAPH_UNAVAILABLE: _failed(
        "Graph, or the service that gives tokens for it, gave no usable answer for a quarter of an hour or more.",
        "See the service health of Microsoft 365. The next sync sends what is left, and nothing twice.",
    ),
    Code.PROVIDER_NOT_ENABLED: _failed(
        "Viva Learning does not know the learning provider, or it is not enabled for activities.",
        "Run `lms provider register`, which also switches on `isCourseActivitySyncEnabled`, and put the id that it "
        "prints into `viva.provider_id`.",
    ),
    Code.VAULT_UNREACHABLE: _failed(
        "Key Vault did not answer, or refused the app.",
        "Check `LMS_VAULT_URL`, the role Key Vault Secrets User of the app's identity, and the vault's network rules.",
    ),
    Code.SECRET_MISSING: _failed(
        "A secret named in the settings is not in the vault, or none of its versions is enabled.",
        "Add the secret, enable a version, or correct its name in the connection.",
    ),
    Code.SETTINGS_INVALID: _failed(
        "A setting of the app or of the connection is wrong, a secret does not hold what it should, or a command "
        "cannot be carried out. The message names every wrong field.",
        "Correct what the message names. Nothing was fetched or sent with the wrong setting.",
    ),
    Code.MEMORY_EXCEEDED: _failed(
        "The engine that joins the tables had no memory left, or no disk for what does not fit into it, in each of "
        "several attempts.",
        "Raise `LMS_MEMORY_LIMIT_MB`, and the instance's memory where 200 MB more than that are not there. The next "
        "sync tries the package again, and sends only what is left.",
    ),
    Code.UNEXPECTED: _failed(
        "Something happened that nobody has foreseen, or a step did not succeed in several attempts.",
        "Search the log for the run id. If it happens again, report it with the message; it holds nobody's data.",
    ),
    Code.FIELD_REQUIRED: _partial(
        "A field that is needed is empty. The row was left out; what was published under its key stays.",
        "Fill the field in at the source.",
    ),
    Code.FIELD_INVALID: _partial(
        "A field cannot be read: a date that is none or lies in the future, a flag that is neither Y nor N, a locale "
        "that nobody knows. The row was left out.",
        "Correct the field at the source; or the profile, if the format has changed.",
    ),
    Code.PERSON_ID_TOO_LONG: _partial(
        "A learner's `PERSON_ID_EXTERNAL` has more than 16 characters, the most that `employeeId` in Entra can hold; "
        "or more than 1,024, with another `directory_attribute`. The learner was left out.",
        "Use a shorter id at the source.",
    ),
    Code.RECORD_MALFORMED: _partial(
        "A record has more or fewer fields than the header, or a quote in it does not close. The record was left out.",
        "Correct the record at the source; texts with quotes or delimiters must be quoted.",
    ),
    Code.RECORD_REFUSED: _partial(
        "Viva Learning refused a single record; or the LMS refused a course or a completion. The report names the "
        "record's key and what was said, without the learner.",
        "Correct the field it names at the source. The record is sent again with the next package; a course or "
        "completion when its sender sends it again.",
    ),
    Code.LEARNER_UNKNOWN: _partial(
        "A completion is about somebody whom the LMS does not know.",
        "Compare `write_back.identity` with what the sender gives as learner. After the person exists in the LMS, "
        "replay the record.",
    ),
    Code.LEARNER_AMBIGUOUS: _partial(
        "Several users of the LMS have the external reference of a completion's learner; none was guessed.",
        "Have the reference made unique in the LMS, then replay the record.",
    ),
    Code.LEARNER_INACTIVE: _partial(
        "A completion is about a user who is not active in the LMS.",
        "Replay the record once the user is active again; it is not tried before.",
    ),
    Code.LMS_UNREACHABLE: _failed(
        "The LMS that completions go back to gave no answer, or one that is none.",
        "Nothing is lost, what was accepted is sent later. If it lasts, check `write_back.target.base_url` and the "
        "state of the service.",
    ),
    Code.LMS_REQUESTS_LIMIT: _failed(
        "The LMS asks for a pause: too many requests.",
        "Nothing needs to be done: sending goes on after the pause. If it comes often, other software shares the "
        "limit; lower `write_back.completions_pace`.",
    ),
    Code.BATCH_INVALID: _partial(
        "A batch of completions or courses was not accepted: it is not the JSON that was asked for.",
        "Mend what the message names, and send it again under the same idempotency key.",
    ),
    Code.WRITE_BACK_OFF: _failed(
        "Something was sent for a connection that sends nothing back to its LMS.",
        "Say in the connection where records go back to (`write_back.target.kind` and what belongs to it), or send it "
        "to another connection.",
    ),
}
"""Every code, in the order of `Code`."""
