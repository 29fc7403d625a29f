# SPDX-License-Identifier: MIT
# Runs the overlay port without vcpkg: the functions that vcpkg gives to a port, as far as this port uses them.
# cmake -DPORT=folder of the port -DPACKAGES=where to install -DBUILD=where to build -P vcpkg_steps.cmake
cmake_minimum_required(VERSION 3.25)

set(CURRENT_PORT_DIR ${PORT})
set(CURRENT_PACKAGES_DIR ${PACKAGES})
file(READ ${PORT}/vcpkg.json manifest)
string(JSON PORT GET "${manifest}" name)

function(vcpkg_cmake_configure)
    cmake_parse_arguments(arg "" "SOURCE_PATH" "OPTIONS" ${ARGN})
    execute_process(
        COMMAND ${CMAKE_COMMAND} -G Ninja -S ${arg_SOURCE_PATH} -B ${BUILD} -DCMAKE_BUILD_TYPE=Release
            -DCMAKE_INSTALL_PREFIX=${CURRENT_PACKAGES_DIR} ${arg_OPTIONS}
        COMMAND_ERROR_IS_FATAL ANY)
endfunction()

function(vcpkg_cmake_install)
    execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD} --target install COMMAND_ERROR_IS_FATAL ANY)
endfunction()

function(vcpkg_cmake_config_fixup)
    cmake_parse_arguments(arg "" "PACKAGE_NAME;CONFIG_PATH" "" ${ARGN})
    if(NOT EXISTS ${CURRENT_PACKAGES_DIR}/${arg_CONFIG_PATH})
        message(FATAL_ERROR "the port's CONFIG_PATH ${arg_CONFIG_PATH} does not exist")
    endif()
    file(GLOB files ${CURRENT_PACKAGES_DIR}/${arg_CONFIG_PATH}/*)
    file(MAKE_DIRECTORY ${CURRENT_PACKAGES_DIR}/share/${PORT})
    foreach(file IN LISTS files)
        cmake_path(GET file FILENAME name)
        # One level up, as the files lie one folder higher now.
        file(READ ${file} content)
        string(REPLACE "get_filename_component(PACKAGE_PREFIX_DIR \"\${CMAKE_CURRENT_LIST_DIR}/../../../\""
            "get_filename_component(PACKAGE_PREFIX_DIR \"\${CMAKE_CURRENT_LIST_DIR}/../../\"" content "${content}")
        string(REPLACE "get_filename_component(_IMPORT_PREFIX \"\${_IMPORT_PREFIX}\" PATH)\nget_filename_component(_IMPORT_PREFIX \"\${_IMPORT_PREFIX}\" PATH)\nget_filename_component(_IMPORT_PREFIX \"\${_IMPORT_PREFIX}\" PATH)"
            "get_filename_component(_IMPORT_PREFIX \"\${_IMPORT_PREFIX}\" PATH)\nget_filename_component(_IMPORT_PREFIX \"\${_IMPORT_PREFIX}\" PATH)" content "${content}")
        file(WRITE ${CURRENT_PACKAGES_DIR}/share/${PORT}/${name} "${content}")
    endforeach()
    file(REMOVE_RECURSE ${CURRENT_PACKAGES_DIR}/${arg_CONFIG_PATH})
endfunction()

function(vcpkg_fixup_pkgconfig)
    file(GLOB_RECURSE found ${CURRENT_PACKAGES_DIR}/*.pc)
    if(NOT found)
        message(FATAL_ERROR "the port installs no .pc file")
    endif()
endfunction()

function(vcpkg_install_copyright)
    cmake_parse_arguments(arg "" "" "FILE_LIST" ${ARGN})
    file(COPY_FILE ${arg_FILE_LIST} ${CURRENT_PACKAGES_DIR}/share/${PORT}/copyright)
endfunction()

include(${CURRENT_PORT_DIR}/portfile.cmake)
