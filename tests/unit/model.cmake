unit(canvas model)
unit(layout model)
unit(keys model)
unit(lineedit model)
