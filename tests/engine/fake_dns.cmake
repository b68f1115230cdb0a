add_library(fake_dns STATIC ${CMAKE_CURRENT_SOURCE_DIR}/fake_dns.c
    ${CMAKE_CURRENT_SOURCE_DIR}/fake_zone.c)
target_include_directories(fake_dns PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(fake_dns PUBLIC Threads::Threads PRIVATE house)

engine_test(dns dns fake_dns)
