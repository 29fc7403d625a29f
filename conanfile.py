# SPDX-License-Identifier: MIT
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load

required_conan_version = ">=2.1"


class ReheatRecipe(ConanFile):
    name = "reheat"
    package_type = "header-library"
    license = "MIT"
    description = "Header-only C++20 library: heartbeats go in, recovered services come out"
    topics = ("high-availability", "recovery", "heartbeat", "header-only")
    settings = "os", "compiler", "build_type", "arch"
    exports_sources = "include/*", "LICENSE"
    no_copy_source = True
    test_package_folder = "packaging/conan/test_package"

    def set_version(self):
        header = load(self, os.path.join(self.recipe_folder, "include", "reheat", "version.hpp"))
        self.version = ".".join(re.findall(r"define REHEAT_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header))

    def export(self):
        # The recipe is loaded again from the cache, where it has to find the version too.
        copy(self, "include/reheat/version.hpp", self.recipe_folder, self.export_folder)

    def validate(self):
        check_min_cppstd(self, 20)

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        copy(self, "*.hpp", os.path.join(self.source_folder, "include"), os.path.join(self.package_folder, "include"))

    def package_id(self):
        self.info.clear()

    def package_info(self):
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
