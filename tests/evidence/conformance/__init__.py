"""The model of Docker networks against real ones, on random topologies.

A seed makes blocks of random networks and containers (`generator`), a lane makes them
real (`lane`, `building`): a Docker Engine in a network namespace of its own, with a
neighbour on its segment. Every source then asks every address for every port
(`aims`, `prober`), and each answer is compared with what the model of `lab.isolation`
says (`expectation`, `comparison`). What was seen is kept (`recorded`), so that the
model can be held against reality in seconds and without Docker.

    HOMELAB_CONFORMANCE_SEED=7          the same topologies again; without it each run has its own
    HOMELAB_CONFORMANCE_BLOCKS=2        fewer of them
    HOMELAB_CONFORMANCE_RECORD=FOLDER   where to write what was seen, such as tests/evidence/conformance/recorded
"""
