"""Landing: dlt pipelines that append versions of source records to `raw_<source>`; one file per source."""
