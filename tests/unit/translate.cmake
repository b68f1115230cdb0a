add_executable(translate_probe ${CMAKE_CURRENT_LIST_DIR}/translate_probe.c)
target_include_directories(translate_probe PRIVATE ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(translate_probe PRIVATE report house)
find_package(Python3 COMPONENTS Interpreter)
if(Python3_Interpreter_FOUND)
    add_test(NAME unit.translate
        COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/check_translate.py
                ${PROJECT_SOURCE_DIR} $<TARGET_FILE:translate_probe>)
    set_tests_properties(unit.translate PROPERTIES LABELS unit TIMEOUT 120 SKIP_RETURN_CODE 77)
endif()

# The committed collection of sentences is what the sources say.
find_program(XGETTEXT_PROGRAM xgettext)
if(XGETTEXT_PROGRAM)
    add_test(NAME unit.catalogue COMMAND sh ${PROJECT_SOURCE_DIR}/assets/po/update.sh --check)
    set_tests_properties(unit.catalogue PROPERTIES LABELS unit TIMEOUT 60)
endif()
