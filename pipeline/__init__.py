"""The DAG: experiment specs, artifact store, Luigi stages, the `sprachbund` command, reports."""
