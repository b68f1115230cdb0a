unit(report report)
unit(report_json report)
unit(report_long report)
unit(savefile report)
unit(ticket report)
target_compile_definitions(unit_ticket PRIVATE UNIT_SOURCE_DIR="${CMAKE_CURRENT_LIST_DIR}")
target_compile_definitions(unit_report_json PRIVATE
    SCHEMA_FILE="${PROJECT_SOURCE_DIR}/assets/report.schema.json")

# Sample reports, checked against the published schema by somebody else's code.
add_executable(report_samples ${CMAKE_CURRENT_LIST_DIR}/report_samples.c)
target_include_directories(report_samples PRIVATE ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(report_samples PRIVATE report house)
find_package(Python3 COMPONENTS Interpreter)
if(Python3_Interpreter_FOUND)
    add_test(NAME unit.report_schema
        COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/check_schema.py
                $<TARGET_FILE:report_samples> ${PROJECT_SOURCE_DIR}/assets/report.schema.json)
    set_tests_properties(unit.report_schema PROPERTIES LABELS unit TIMEOUT 120 SKIP_RETURN_CODE 77)
endif()

# Runs that are read back, and what is given away of them.
unit(share_safe report)
unit(run_file report practice)
