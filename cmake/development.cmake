# SPDX-License-Identifier: MIT
# What only our own tests, examples and tools need; a user of the library never reads this file.

include(CTest)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)

# On top of reheat::reheat: our warnings, as errors.
add_library(reheat_strict INTERFACE)
target_link_libraries(reheat_strict INTERFACE reheat::reheat)
target_compile_options(reheat_strict INTERFACE
    $<$<CXX_COMPILER_ID:GNU,Clang,AppleClang>:-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow
    -Wold-style-cast -Werror>)

# Libraries of the adapters. What is missing leaves out the files that include an adapter, nothing else.
find_package(Threads QUIET)
find_package(nlohmann_json QUIET)
find_package(Boost CONFIG QUIET)
find_package(CLI11 QUIET)
set(reheat_adapters_found FALSE)
if(Threads_FOUND AND nlohmann_json_FOUND AND Boost_FOUND AND CLI11_FOUND)
    set(reheat_adapters_found TRUE)
    add_library(reheat_adapters INTERFACE)
    target_link_libraries(reheat_adapters
        INTERFACE nlohmann_json::nlohmann_json Boost::headers CLI11::CLI11 Threads::Threads)
else()
    message(STATUS "reheat: left out what needs nlohmann-json, Boost headers, CLI11 and threads (not all found)")
endif()

# Asio has no dependencies, and no package of its own to find it by.
find_path(reheat_asio_folder asio/awaitable.hpp)
if(reheat_adapters_found AND reheat_asio_folder)
    target_include_directories(reheat_adapters SYSTEM INTERFACE ${reheat_asio_folder})
    # Asio 1.22 does not see that clang has coroutines.
    target_compile_definitions(reheat_adapters INTERFACE $<$<CXX_COMPILER_ID:Clang,AppleClang>:ASIO_HAS_CO_AWAIT=1>)
else()
    message(STATUS "reheat: left out what needs standalone Asio (not found)")
endif()

# libvirt's adapter has a library of its own; what it needs is left out where that is missing.
set(reheat_libvirt_found FALSE)
find_package(PkgConfig QUIET)
if(PkgConfig_FOUND AND NOT CMAKE_CROSSCOMPILING)
    pkg_check_modules(libvirt QUIET IMPORTED_TARGET libvirt libvirt-qemu)
    if(libvirt_FOUND)
        set(reheat_libvirt_found TRUE)
        add_library(reheat_libvirt INTERFACE)
        target_link_libraries(reheat_libvirt INTERFACE PkgConfig::libvirt)
    endif()
endif()
if(NOT reheat_libvirt_found)
    message(STATUS "reheat: left out what needs libvirt (not found)")
endif()

# Divides C++ sources by whether they include an adapter or its libraries. One that needs Asio is in neither part where
# that is missing.
function(reheat_split_sources list_variable core_variable adapter_variable)
    set(core)
    set(adapter)
    foreach(source IN LISTS ${list_variable})
        set(hits)
        if(EXISTS ${source}) # a generated one is there only when it is built, and was divided before
            file(STRINGS ${source} hits REGEX "#include <(reheat/adapters|nlohmann|boost|CLI|asio)/")
        endif()
        if(hits MATCHES "<(reheat/adapters/asio|asio/)" AND NOT reheat_asio_folder)
            continue()
        endif()
        if(hits)
            list(APPEND adapter ${source})
        else()
            list(APPEND core ${source})
        endif()
    endforeach()
    set(${core_variable} ${core} PARENT_SCOPE)
    set(${adapter_variable} ${adapter} PARENT_SCOPE)
endfunction()

# One program of the given sources, without those that need an adapter whose libraries are missing. `target_created`
# tells the caller whether anything was left to build.
function(reheat_program name)
    set(sources ${ARGN})
    set(libvirt)
    foreach(source IN LISTS sources)
        if(EXISTS ${source})
            file(STRINGS ${source} hits REGEX "#include <(reheat/adapters/libvirt|libvirt/)")
            if(hits)
                list(APPEND libvirt ${source})
            endif()
        endif()
    endforeach()
    if(libvirt AND NOT reheat_libvirt_found)
        list(REMOVE_ITEM sources ${libvirt})
    endif()
    reheat_split_sources(sources core adapter)
    set(target_created FALSE PARENT_SCOPE)
    if(reheat_adapters_found)
        list(APPEND core ${adapter})
    endif()
    if(core)
        add_executable(${name} ${core})
        target_link_libraries(${name} PRIVATE reheat_strict)
        if(Threads_FOUND)
            target_link_libraries(${name} PRIVATE Threads::Threads)
        endif()
        if(reheat_adapters_found)
            target_link_libraries(${name} PRIVATE reheat_adapters)
        endif()
        if(libvirt AND reheat_libvirt_found)
            target_link_libraries(${name} PRIVATE reheat_libvirt)
        endif()
        set(target_created TRUE PARENT_SCOPE)
    endif()
endfunction()
