unit(scenario_reader practice diagnosis)
unit(course practice diagnosis)
