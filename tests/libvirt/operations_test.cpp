// SPDX-License-Identifier: MIT
// What each operation does, on libvirt's test hypervisor in this process.
#include <reheat/adapters/libvirt.hpp>

#include "private_daemon.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <sys/stat.h>
#include <vector>

using namespace reheat;
using namespace libvirt_tests;

namespace {

/// A driver, somebody who looks from outside, and one domain of ours that runs.
struct bed {
    explicit bed(libvirt_options o = in_process()) : driver{std::move(o)}, ask{driver} {
        opened = driver.open().has_value();
        out.define("db-1");
        adopted = driver.adopt("db-1").has_value();
    }
    ~bed() {
        driver.close();
        for (const char* const name : {"db-1", "web-1", "theirs"}) out.forget(name);
    }
    outsider out{};
    libvirt_driver driver;
    caller<libvirt_driver> ask;
    bool opened = false;
    bool adopted = false;
};

bool keeps_its_own(const outsider& out, std::string_view name) {
    const std::string xml = out.text(name);
    return xml.find("/disks/one") != std::string::npos && xml.find("52:54:00:12:34:56") != std::string::npos;
}

} // namespace

TEST_CASE("describe says what the hypervisor says, and vouches for it") {
    bed b;
    REQUIRE(b.opened);
    REQUIRE(b.adopted);
    outcome is = b.ask(operation::describe, "db-1");
    CHECK(is.code == outcome_code::done);
    CHECK(is.seen.exists == true);
    CHECK(is.seen.running == true);
    CHECK(is.seen.vouched);
    CHECK(is.seen.host == "here");
    CHECK(is.seen.cloud_id == detail::uuid_of(b.out.find("db-1").get()));

    // A guest that stands still has power.
    REQUIRE(virDomainSuspend(b.out.find("db-1").get()) == 0);
    CHECK(b.ask(operation::describe, "db-1").seen.running == true);
    REQUIRE(virDomainDestroy(b.out.find("db-1").get()) == 0);
    is = b.ask(operation::describe, "db-1");
    CHECK(is.seen.exists == true);
    CHECK(is.seen.running == false);

    // One that was ours and is gone, and one that nobody has ever seen: who ran it, if anybody did?
    b.out.forget("db-1");
    is = b.ask(operation::describe, "db-1");
    CHECK(is.seen.exists == false);
    CHECK(is.seen.vouched);
    is = b.ask(operation::describe, "nobody");
    CHECK(is.code == outcome_code::done);
    CHECK(is.seen.exists == false);
    CHECK(!is.seen.vouched);
}

TEST_CASE("a reboot begins a new boot in whatever state the domain is") {
    bed b;
    std::string last = b.ask(operation::describe, "db-1").seen.boot_id;
    const auto boots = [&](bool hard) {
        const outcome is = b.ask(operation::reboot_instance, "db-1", {.hard = hard});
        CHECK(is.code == outcome_code::done);
        CHECK(b.out.state("db-1") == VIR_DOMAIN_RUNNING);
        const std::string now = b.ask(operation::describe, "db-1").seen.boot_id;
        CHECK(now != last);
        CHECK(now == b.ask(operation::describe, "db-1").seen.boot_id);
        last = now;
    };
    SUBCASE("it runs, and is asked") { boots(false); }
    SUBCASE("it runs, and is reset") {
        const unsigned id = b.out.id("db-1");
        boots(true);
        CHECK(b.out.id("db-1") == id); // the same QEMU
    }
    SUBCASE("it was paused") {
        REQUIRE(virDomainSuspend(b.out.find("db-1").get()) == 0);
        boots(true);
    }
    SUBCASE("it is off") {
        REQUIRE(virDomainDestroy(b.out.find("db-1").get()) == 0);
        boots(false);
    }
    CHECK(keeps_its_own(b.out, "db-1"));
    SUBCASE("it is gone") {
        b.out.forget("db-1");
        CHECK(b.ask(operation::reboot_instance, "db-1").code == outcome_code::refused);
    }
}

TEST_CASE("a fence is done when the hypervisor says that QEMU is gone") {
    bed b;
    const std::string id = b.ask(operation::describe, "db-1").seen.cloud_id;
    CHECK(b.ask(operation::fence_instance, "db-1", {.method = "no-such"}).code == outcome_code::refused);
    CHECK(b.out.state("db-1") == VIR_DOMAIN_RUNNING);

    const outcome is = b.ask(operation::fence_instance, "db-1", {.cloud_id = "an-old-one"});
    CHECK(is.code == outcome_code::done);
    CHECK(is.seen.running == false);
    CHECK(is.seen.vouched);
    CHECK(b.out.state("db-1") == VIR_DOMAIN_SHUTOFF);
    CHECK(keeps_its_own(b.out, "db-1"));
    CHECK(b.ask(operation::fence_instance, "db-1", {.method = "destroy"}).code == outcome_code::done); // is off

    // The copy that was replaced, not the one that replaced it.
    CHECK(b.ask(operation::recreate_instance, "db-1").code == outcome_code::done);
    CHECK(b.ask(operation::fence_instance, "db-1", {.cloud_id = id, .replaced = true}).code == outcome_code::done);
    CHECK(b.out.state("db-1") == VIR_DOMAIN_RUNNING);
    const std::string now = b.ask(operation::describe, "db-1").seen.cloud_id;
    CHECK(now == id + "+1");
    CHECK(b.ask(operation::fence_instance, "db-1", {.cloud_id = now, .replaced = true}).code == outcome_code::done);
    CHECK(b.out.state("db-1") == VIR_DOMAIN_SHUTOFF);

    b.out.forget("db-1");
    const outcome gone = b.ask(operation::fence_instance, "db-1");
    CHECK(gone.code == outcome_code::done);
    CHECK(gone.seen.exists == false);
    CHECK(gone.seen.vouched);
    CHECK(b.ask(operation::fence_instance, "nobody").code == outcome_code::refused);
}

TEST_CASE("a domain that is not defined any more is made again from its description") {
    bed b;
    const std::string uuid = detail::uuid_of(b.out.find("db-1").get());
    CHECK(b.ask(operation::recreate_instance, "db-1").code == outcome_code::refused); // it runs
    b.out.forget("db-1");
    CHECK(b.ask(operation::recreate_instance, "db-1", {.wrong_proof = true}).code == outcome_code::refused);
    CHECK(b.out.state("db-1") == -1);
    const outcome is = b.ask(operation::recreate_instance, "db-1");
    CHECK(is.code == outcome_code::done);
    CHECK(is.seen.cloud_id == uuid + "+1");
    CHECK(b.out.state("db-1") == VIR_DOMAIN_RUNNING);
    CHECK(detail::uuid_of(b.out.find("db-1").get()) == uuid);
    CHECK(keeps_its_own(b.out, "db-1"));
    CHECK(b.ask(operation::recreate_instance, "nobody").code == outcome_code::refused);
}

TEST_CASE("a rebuild goes back to the kept description and keeps disks, cards, name and id") {
    bed b;
    const outcome before = b.ask(operation::describe, "db-1");
    CHECK(b.ask(operation::rebuild_instance, "db-1").code == outcome_code::done);
    const outcome after = b.ask(operation::describe, "db-1");
    CHECK(after.seen.cloud_id == before.seen.cloud_id);
    CHECK(after.seen.boot_id != before.seen.boot_id);
    CHECK(keeps_its_own(b.out, "db-1"));

    // One that was given waits for it, whatever happens to the domain until then.
    std::string larger = b.out.text("db-1");
    for (std::size_t at = 0; (at = larger.find("65536")) != std::string::npos;) larger.replace(at, 5, "70000");
    REQUIRE(b.driver.keep(larger));
    CHECK(b.ask(operation::reboot_instance, "db-1").code == outcome_code::done);
    CHECK(b.out.text("db-1").find("70000") == std::string::npos);
    CHECK(b.ask(operation::rebuild_instance, "db-1").code == outcome_code::done);
    CHECK(b.out.text("db-1").find("70000") != std::string::npos);
    CHECK(b.ask(operation::fence_instance, "db-1").code == outcome_code::done); // it is still ours
    CHECK(b.ask(operation::reboot_instance, "db-1").code == outcome_code::done);
    const outcome last = b.ask(operation::describe, "db-1");

    // A description that libvirt does not take changes nothing: the domain runs on.
    REQUIRE(b.driver.keep("<domain type='test'><name>db-1</name></domain>"));
    const outcome bad = b.ask(operation::rebuild_instance, "db-1");
    CHECK(bad.code == outcome_code::failed);
    CHECK(!bad.reason.empty());
    CHECK(b.out.state("db-1") == VIR_DOMAIN_RUNNING);
    CHECK(b.ask(operation::describe, "db-1").seen.boot_id == last.seen.boot_id);
}

TEST_CASE("create makes what is described, once") {
    bed b;
    CHECK(b.ask(operation::create_instance, "web-1").code == outcome_code::refused); // no description
    REQUIRE(b.driver.keep(outsider::xml("web-1")));
    CHECK(b.ask(operation::create_instance, "web-1").code == outcome_code::done);
    CHECK(b.out.state("web-1") == VIR_DOMAIN_RUNNING);
    CHECK(b.ask(operation::create_instance, "web-1").code == outcome_code::refused);
    CHECK(b.ask(operation::create_instance, "db-1").code == outcome_code::refused);
    CHECK(b.ask(operation::reboot_instance, "web-1").code == outcome_code::done); // it is ours
    b.out.define("theirs");
    CHECK(b.driver.keep(outsider::xml("theirs")).error().code == errc::denied);
    CHECK(b.driver.keep("<domain/>").error().code == errc::syntax);
}

TEST_CASE("what is not ours is not touched") {
    bed b;
    b.out.define("theirs");
    const std::string text = b.out.text("theirs");
    const unsigned id = b.out.id("theirs");
    const std::vector<operation> all{operation::describe,          operation::create_instance,
                                     operation::restart_service,   operation::reboot_instance,
                                     operation::rebuild_instance,  operation::fence_instance,
                                     operation::recreate_instance, operation::collect_forensics};
    for (const operation o : all) {
        CAPTURE(to_string(o));
        CHECK(b.ask(o, "theirs", {.service = "x"}).code == outcome_code::refused);
    }
    CHECK(b.out.text("theirs") == text);
    CHECK(b.out.id("theirs") == id);
    CHECK(b.out.state("theirs") == VIR_DOMAIN_RUNNING);

    SUBCASE("until it is adopted, and after it was given back") {
        REQUIRE(b.driver.adopt("theirs"));
        CHECK(b.ask(operation::describe, "theirs").code == outcome_code::done);
        REQUIRE(b.driver.disown("theirs"));
        CHECK(b.out.text("theirs").find("owned") == std::string::npos);
        CHECK(b.ask(operation::fence_instance, "theirs").code == outcome_code::refused);
    }
    SUBCASE("and what another owner has marked is not adopted, nor ours because it is listed") {
        libvirt_options o = in_process();
        o.owner = "somebody-else";
        libvirt_driver other{o};
        REQUIRE(other.open());
        REQUIRE(other.adopt("theirs"));
        CHECK(b.driver.adopt("theirs").error().code == errc::denied);
        libvirt_options listing = in_process();
        listing.owned = {"theirs"};
        libvirt_driver lists{listing};
        REQUIRE(lists.open());
        caller<libvirt_driver> ask{lists};
        CHECK(ask(operation::fence_instance, "theirs").code == outcome_code::refused);
        CHECK(b.out.state("theirs") == VIR_DOMAIN_RUNNING);
    }
    SUBCASE("one that is listed and has no mark is ours, and marked by the first action") {
        libvirt_options listing = in_process();
        listing.owned = {"theirs"};
        libvirt_driver lists{listing};
        REQUIRE(lists.open());
        caller<libvirt_driver> ask{lists};
        CHECK(ask(operation::describe, "theirs").code == outcome_code::done);
        CHECK(b.out.text("theirs") == text);
        CHECK(ask(operation::reboot_instance, "theirs").code == outcome_code::done);
        CHECK(b.out.text("theirs").find("by=\"reheat\"") != std::string::npos);
    }
    CHECK(b.driver.adopt("nobody").error().code == errc::not_found);
}

TEST_CASE("names are names, whatever they are made of") {
    scratch_folder folder;
    bed b{in_process(folder.path() + "/kept")};
    for (const std::string_view name :
         {"a<b>&'\"", "../../etc/passwd", "-x", ".hidden", "two words", "%41", "\xd1\x83\xd0\xb7\xd0\xb5\xd0\xbb"}) {
        CAPTURE(name);
        b.out.define(name);
        if (b.out.state(name) != VIR_DOMAIN_RUNNING) continue; // libvirt itself does not take it
        REQUIRE(b.driver.adopt(name));
        CHECK(b.ask(operation::describe, name).seen.exists == true);
        b.out.forget(name);
        CHECK(b.ask(operation::recreate_instance, name).code == outcome_code::done);
        CHECK(b.out.state(name) == VIR_DOMAIN_RUNNING);
        b.out.forget(name);
        REQUIRE(b.driver.disown(name));
    }
    const std::string with_nul{"db-1\0x", 6};
    for (const std::string& name : {std::string{}, with_nul, std::string(100'000, 'x')}) {
        CHECK(b.ask(operation::fence_instance, name).code == outcome_code::refused);
        CHECK(b.ask(operation::reboot_instance, name).code == outcome_code::refused);
    }
    CHECK(b.out.state("db-1") == VIR_DOMAIN_RUNNING);
}

TEST_CASE("the test hypervisor has no guest agent and says so; a service's name is never a command's option") {
    bed b;
    const outcome is = b.ask(operation::restart_service, "db-1", {.service = "mysqld"});
    CHECK(is.code == outcome_code::failed);
    CHECK(is.reason.find("not supported") != std::string::npos);
    for (const std::string_view name : {std::string_view{}, std::string_view{"--force"}, std::string_view{"a\0b", 3}})
        CHECK(b.ask(operation::restart_service, "db-1", {.service = name}).code == outcome_code::refused);
    REQUIRE(virDomainDestroy(b.out.find("db-1").get()) == 0);
    CHECK(b.ask(operation::restart_service, "db-1", {.service = "mysqld"}).code == outcome_code::failed);
}

TEST_CASE("a memory dump is written where the options say, or refused") {
    bed b;
    CHECK(b.ask(operation::collect_forensics, "db-1").code == outcome_code::refused);
    scratch_folder folder;
    libvirt_options o = in_process();
    o.dumps = folder.path();
    libvirt_driver dumps{o};
    REQUIRE(dumps.open());
    caller<libvirt_driver> ask{dumps};
    // The test hypervisor can not dump what runs without ending it; only that it was asked is seen here.
    const outcome is = ask(operation::collect_forensics, "db-1");
    CHECK(is.code == outcome_code::done);
    CHECK(!std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a call is done once, a newer reign wins, and what comes too late is not begun") {
    bed b;
    SUBCASE("the same key") {
        CHECK(b.ask(operation::reboot_instance, "db-1", {.key = 7, .hard = true}).code == outcome_code::done);
        const std::string boot = b.ask(operation::describe, "db-1").seen.boot_id;
        CHECK(b.ask(operation::reboot_instance, "db-1", {.key = 7, .hard = true}).code == outcome_code::done);
        CHECK(b.ask(operation::describe, "db-1").seen.boot_id == boot);
        CHECK(b.ask(operation::reboot_instance, "db-1", {.key = 8, .hard = true}).code == outcome_code::done);
        CHECK(b.ask(operation::describe, "db-1").seen.boot_id != boot);
    }
    SUBCASE("the same key in flight") {
        std::vector<op_id> ops;
        for (int n = 0; n < 20; ++n) ops.push_back(b.ask.start(operation::fence_instance, "db-1", {.key = 9}));
        for (const op_id op : ops) CHECK(b.ask.wait(op).code == outcome_code::done);
        CHECK(b.ask.sink().repeated() == 0);
    }
    SUBCASE("the same key, and a driver that does not remember it") {
        b.out.forget("db-1");
        REQUIRE(b.ask(operation::recreate_instance, "db-1", {.key = 11}).code == outcome_code::done);
        const unsigned id = b.out.id("db-1");
        libvirt_driver next{in_process()};
        REQUIRE(next.open());
        caller<libvirt_driver> ask{next};
        CHECK(ask(operation::recreate_instance, "db-1", {.key = 11}).code == outcome_code::done); // it reads the mark
        CHECK(b.out.id("db-1") == id);
        CHECK(ask(operation::recreate_instance, "db-1", {.key = 12}).code == outcome_code::refused);
        CHECK(b.out.id("db-1") == id);
    }
    SUBCASE("the same key after it certainly did not happen") {
        CHECK(b.ask(operation::recreate_instance, "db-1", {.key = 13}).code == outcome_code::refused);
        b.out.forget("db-1");
        CHECK(b.ask(operation::recreate_instance, "db-1", {.key = 13}).code == outcome_code::done);
    }
    SUBCASE("only so many keys are remembered") {
        libvirt_options o = in_process();
        o.most_keys = 2;
        libvirt_driver few{o};
        REQUIRE(few.open());
        caller<libvirt_driver> ask{few};
        for (std::uint64_t key = 1; key < 50; ++key)
            CHECK(ask(operation::fence_instance, "db-1", {.key = key}).code == outcome_code::done);
    }
    SUBCASE("an older reign") {
        CHECK(b.ask(operation::describe, "db-1", {.reign = 5}).code == outcome_code::done);
        CHECK(b.ask(operation::fence_instance, "db-1", {.reign = 4}).code == outcome_code::refused);
        CHECK(b.out.state("db-1") == VIR_DOMAIN_RUNNING);
        CHECK(b.ask(operation::reboot_instance, "db-1", {.reign = 5}).code == outcome_code::done);
    }
    SUBCASE("an older reign whose driver has heard of none newer") {
        CHECK(b.ask(operation::reboot_instance, "db-1", {.reign = 5}).code == outcome_code::done);
        libvirt_driver old{in_process()};
        REQUIRE(old.open());
        caller<libvirt_driver> ask{old};
        for (const operation o : {operation::fence_instance, operation::reboot_instance, operation::rebuild_instance})
            CHECK(ask(o, "db-1", {.reign = 4}).code == outcome_code::refused);
        CHECK(b.out.state("db-1") == VIR_DOMAIN_RUNNING);
        REQUIRE(virDomainDestroy(b.out.find("db-1").get()) == 0);
        CHECK(ask(operation::recreate_instance, "db-1", {.reign = 4}).code == outcome_code::refused);
        CHECK(b.out.state("db-1") == VIR_DOMAIN_SHUTOFF);
    }
    SUBCASE("a deadline that is over") {
        const outcome is = b.ask(operation::fence_instance, "db-1", {.deadline = system_time{}.now() - 1s});
        CHECK(is.code == outcome_code::refused);
        CHECK(b.out.state("db-1") == VIR_DOMAIN_RUNNING);
        CHECK(b.ask(operation::fence_instance, "db-1", {.deadline = system_time{}.now() + 60s}).code ==
              outcome_code::done);
    }
    SUBCASE("after the end") {
        b.driver.close();
        b.driver.close();
        CHECK(b.ask(operation::fence_instance, "db-1").code == outcome_code::refused);
        CHECK(b.out.state("db-1") == VIR_DOMAIN_RUNNING);
    }
}

TEST_CASE("descriptions outlive the driver, readable by nobody else") {
    scratch_folder folder;
    const std::string kept = folder.path() + "/kept";
    {
        bed b{in_process(kept)};
        b.driver.close();
    } // which undefines it
    struct stat is{};
    REQUIRE(stat(kept.c_str(), &is) == 0);
    CHECK((is.st_mode & 0777U) == 0700U);
    REQUIRE(stat((kept + "/db%2d1.xml").c_str(), &is) == 0);
    CHECK((is.st_mode & 0777U) == 0600U);
    std::ofstream{kept + "/damaged.xml"} << "<domain";
    std::ofstream{kept + "/notes.txt"} << "not ours";

    outsider out;
    libvirt_driver next{in_process(kept)};
    const auto opened = next.open();
    REQUIRE(!opened);
    CHECK(opened.error().where == kept + "/damaged.xml"); // told, and the rest is used
    caller<libvirt_driver> ask{next};
    CHECK(ask(operation::describe, "db-1").seen.vouched);
    CHECK(ask(operation::recreate_instance, "db-1").code == outcome_code::done);
    CHECK(out.state("db-1") == VIR_DOMAIN_RUNNING);
    CHECK(keeps_its_own(out, "db-1"));
    REQUIRE(next.disown("db-1"));
    CHECK(!std::filesystem::exists(kept + "/db%2d1.xml"));
    next.close();
    out.forget("db-1");
}

TEST_CASE("options that can not be are told at once") {
    const auto opens = [](const auto& change) {
        libvirt_options o = in_process();
        change(o);
        libvirt_driver d{o};
        const auto opened = d.open(100ms);
        return opened ? std::string{"opened"} : std::string{to_string(opened.error().code)};
    };
    CHECK(opens([](libvirt_options&) {}) == "opened");
    CHECK(opens([](libvirt_options& o) { o.hosts.clear(); }) == "invalid_argument");
    CHECK(opens([](libvirt_options& o) { o.owner = "a'b"; }) == "invalid_argument");
    CHECK(opens([](libvirt_options& o) { o.service_command.clear(); }) == "invalid_argument");
    CHECK(opens([](libvirt_options& o) { o.workers = 0; }) == "invalid_argument");
    CHECK(opens([](libvirt_options& o) { o.agent_answers = 0s; }) == "invalid_argument");
    CHECK(opens([](libvirt_options& o) { o.descriptions = "/no/such/folder"; }) == "io");
    CHECK(opens([](libvirt_options& o) { o.hosts = {{"test+unix:///default?socket=/no/such", "x"}}; }) ==
          "unavailable");
}
