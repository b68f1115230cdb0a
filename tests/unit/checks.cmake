unit(target checks)
unit(plan checks)
unit(checks checks)
unit(check_words checks)
