"""What `keel bench` measures: workloads, lanes, whole processes, single bars, and the peers beside them."""
