"""dlt reads a CSV by SFTP with DuckDB and writes Parquet: run by the Python of its own environment, not imported.

`python dlt_reader.py ADDRESS FILE OUT`, with the login in dlt's own environment variables. It ends with the number
of rows.
"""

import sys

import dlt
import duckdb
from dlt.destinations import filesystem as folder
from dlt.sources.filesystem import filesystem, read_csv_duckdb


def main(address: str, file: str, out: str) -> None:
    """Read, normalise and load, as `pipeline.run` does, by way of Arrow and all of it as text: dlt's fastest way.

    Left alone, DuckDB takes types and quotes from the first rows, and the later ones do not fit.
    """
    reader = filesystem(bucket_url=address, file_glob=file) | read_csv_duckdb(
        use_pyarrow=True, chunk_size=50_000, all_varchar=True, quotechar='"', escapechar='"'
    )
    pipeline = dlt.pipeline(
        "bench", destination=folder(bucket_url=f"file://{out}"), dataset_name="bench", pipelines_dir=f"{out}/state"
    )
    pipeline.run(reader.with_name("assignments"), loader_file_format="parquet")
    found = duckdb.execute(f"select count(*) from '{out}/bench/assignments/*.parquet'").fetchone()
    sys.stdout.write(f"{found[0] if found else 0}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
