# The room of checks is seen for its list of names only.
unit(finding checks)
unit(guide checks)
unit(playbook diagnosis)
unit(playbook_reader diagnosis)
unit(guide_replies diagnosis)
unit(replies_book replies_book)
unit(reply_fold diagnosis)
unit(bounce_line diagnosis)
unit(bounce_text diagnosis)
unit(reply_decode diagnosis)
unit(reply_accuracy diagnosis PkgConfig::JANSSON)
target_compile_definitions(unit_reply_accuracy PRIVATE
    REPLIES_FILE="${PROJECT_SOURCE_DIR}/../shared/data/replies.ndjson")
unit(reply_known diagnosis)
target_compile_definitions(unit_reply_known PRIVATE
    KNOWN_FILE="${CMAKE_CURRENT_LIST_DIR}/replies_known.txt")
