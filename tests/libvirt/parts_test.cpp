// SPDX-License-Identifier: MIT
// What is read of XML and of a guest agent's words, by the parts alone.
#include <reheat/adapters/libvirt.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace reheat::detail;

TEST_CASE("the name of a domain is found where it stands, and nowhere else") {
    const auto name = [](std::string_view xml) { return xml_child_text(xml, "domain", "name").value_or("?"); };
    CHECK(name("<domain><name>a</name></domain>") == "a");
    CHECK(name("<?xml version='1.0'?>\n<!-- <domain><name>no</name> -->\n<domain type='kvm'>\n <name>a b</name>") ==
          "a b");
    CHECK(name("<domain><os><name>no</name></os><name>yes</name></domain>") == "yes");
    CHECK(
        name("<domain><os x='>'/><description>&lt;name&gt;</description><name>a&lt;&amp;&#65;&#x42;</name></domain>") ==
        "a<&AB");
    CHECK(name("<domain><![CDATA[<name>no</name>]]><name>yes</name></domain>") == "yes");
    for (const std::string_view bad :
         {"", "<", "<domain", "<domain>", "<domain/>", "<network><name>a</name></network>",
          "<domain></domain><name>a</name>", "<!DOCTYPE domain [<!ENTITY x 'y'>]><domain><name>&x;</name></domain>",
          "<domain><name>&x;</name></domain>", "<domain><name>&#0;</name></domain>",
          "<domain><name>&#99999999999;</name></domain>", "</domain>", "<!--", "<domain><x y='", "<![CDATA[", "<?"})
        CHECK(name(bad) == "?");
}

TEST_CASE("a mark is read as it was written, and what is no mark owns nothing") {
    const libvirt_mark m{"reheat", 7, "7-99", 3};
    const libvirt_mark read = libvirt_mark::of_element(m.element());
    CHECK(read.by == "reheat");
    CHECK(read.reign == 7);
    CHECK(read.boot == "7-99");
    CHECK(read.made == 3);
    CHECK(read.cloud_id("u") == "u+3");
    CHECK(libvirt_mark{}.cloud_id("u") == "u");
    CHECK(libvirt_mark::of_element("<owned xby='no' by=\"me\"/>").by == "me");
    for (const std::string_view bad : {"", "<owned/>", "<owned by=>", "<owned by", "<owned by='", "by='x'"}) {
        const libvirt_mark none = libvirt_mark::of_element(bad);
        CHECK(none.by.empty());
        CHECK(none.reign == 0);
    }
}

TEST_CASE("the guest agent is told words, not a line for a shell") {
    CHECK(
        guest_exec({"systemctl", "restart", "--", "{service}"}, "a\"; reboot \\") ==
        R"({"execute":"guest-exec","arguments":{"path":"systemctl","arg":["restart","--","a\"; reboot \\"],"capture-output":false}})");
    CHECK(guest_exec({"/bin/svc"}, "x") ==
          R"({"execute":"guest-exec","arguments":{"path":"/bin/svc","arg":[],"capture-output":false}})");
    CHECK(guest_exec({"{service}", "a{service}b{service}"}, "{service}").find("\"a{service}b{service}\"") !=
          std::string::npos);
    CHECK(guest_exec_status(17) == R"({"execute":"guest-exec-status","arguments":{"pid":17}})");
}

TEST_CASE("what a guest agent says may be anything") {
    CHECK(guest_answer{R"({"return":{"pid":1234}})"}.number("pid") == 1234);
    CHECK(guest_answer{R"( { "x" : [1,{"return":2}] , "return" : { "a":"}\"{" , "pid" : -5 } } )"}.number("pid") == -5);
    const guest_answer status{R"({"return":{"exitcode":3,"out-data":"{\"exited\":false","exited":true}})"};
    CHECK(status.truth("exited") == true);
    CHECK(status.number("exitcode") == 3);
    CHECK(!status.number("exited"));
    CHECK(!status.number("none"));
    for (const std::string_view bad :
         {"", "{", "[]", "null", R"({"return")", R"({"return":)", R"({"return":{)", R"({"return":{"pid)",
          R"({"return":{"pid":)", R"({"return":{"pid":1)", R"({"return":[]})", R"({"return":{"pid":"1"}})",
          R"({"return":{"pid":99999999999999999999}})", R"({"return":{"pid":1e3}})", R"({"error":{"pid":1}})",
          "{\"return\":{\"pid\":\"\\", R"(}}}}]]]])", R"({"return":{]]]}})"}) {
        CAPTURE(bad);
        CHECK(!guest_answer{bad}.number("pid"));
        CHECK(!guest_answer{bad}.truth("pid"));
    }
}

TEST_CASE("file names hold any name and give it back") {
    for (const std::string_view name : {"db-1", "..", "a/b", "%41", ".x", "a b", "\xff\x01"}) {
        const std::string file = file_name_of(name);
        CHECK(file.find('/') == std::string::npos);
        CHECK(file.front() != '.');
        CHECK(file.find('-') == std::string::npos);
        CHECK(text_of_file_name(file) == name);
    }
}
