# SPDX-License-Identifier: MIT
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Everything goes below share/ and include/: the package is the same on every architecture.
set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/reheat)

install(TARGETS reheat EXPORT reheat-targets
    FILE_SET core DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILE_SET adapters DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT reheat-targets NAMESPACE reheat:: DESTINATION ${package_dir})

configure_package_config_file(cmake/reheat-config.cmake.in reheat-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(reheat-config-version.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/reheat-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/reheat-config-version.cmake
    DESTINATION ${package_dir})

# A relative prefix lets the installed tree be moved.
file(RELATIVE_PATH pc_prefix /${CMAKE_INSTALL_DATADIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
configure_file(cmake/reheat.pc.in reheat.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/reheat.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/licenses/reheat)
