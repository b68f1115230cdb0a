unit(scenario_reader practice diagnosis)
