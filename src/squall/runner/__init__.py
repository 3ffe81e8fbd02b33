"""ONE RUN, from plan to verdict: plan, phases, stop reasons. Knows no terminal."""
