unit(scenario_reader practice diagnosis)
unit(course practice diagnosis)
unit(causes_covered practice diagnosis)
