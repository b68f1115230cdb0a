add_library(fake_dns STATIC ${CMAKE_CURRENT_SOURCE_DIR}/fake_dns.c
    ${CMAKE_CURRENT_SOURCE_DIR}/fake_zone.c)
target_include_directories(fake_dns PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(fake_dns PUBLIC Threads::Threads PRIVATE house)

add_library(dns_bench STATIC ${CMAKE_CURRENT_SOURCE_DIR}/dns_bench.c
    ${CMAKE_CURRENT_SOURCE_DIR}/crooked.c)
target_link_libraries(dns_bench PUBLIC dns fake_dns PRIVATE house PkgConfig::CMOCKA)

engine_test(dns dns_bench)
engine_test(dns_network dns_bench)
