unit(nearest base)
unit(options options)
