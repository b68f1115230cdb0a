# The room of checks is seen for its list of names only.
unit(finding checks)
unit(guide checks)
