# The engine on the practice network.
add_library(runner STATIC runner.c)
target_include_directories(runner PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(runner PUBLIC run practice PkgConfig::CMOCKA PRIVATE house)

add_library(told STATIC told.c)
target_include_directories(told PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(told PUBLIC runner options PRIVATE house)

engine_test(scenarios told)
engine_test(record_scenarios told report)
target_compile_definitions(engine_record_scenarios PRIVATE
    SCENARIO_DIR="${PROJECT_SOURCE_DIR}/assets/scenarios")
add_library(canary STATIC canary.c)
target_link_libraries(canary PUBLIC runner report PRIVATE house)

engine_test(safety canary options)
engine_test(safety_hand canary)
engine_test(control runner)
engine_test(typed runner)
engine_test(typed_judge runner)
engine_test(hand runner)
engine_test(replay runner)
target_compile_definitions(engine_scenarios PRIVATE ENGINE_SOURCE_DIR="${CMAKE_CURRENT_SOURCE_DIR}")

add_test(NAME engine.cli COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/cli.sh $<TARGET_FILE:smtpscope>
    ${PROJECT_SOURCE_DIR})
set_tests_properties(engine.cli PROPERTIES LABELS engine TIMEOUT 300)

# Another program on the practice server, on real sockets of loopback.
find_package(Python3 COMPONENTS Interpreter)
if(Python3_Interpreter_FOUND)
    add_test(NAME engine.swaks
        COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/swaks.py $<TARGET_FILE:smtpscope>
                ${PROJECT_SOURCE_DIR})
    set_tests_properties(engine.swaks PROPERTIES LABELS engine TIMEOUT 600 SKIP_RETURN_CODE 77)
endif()
