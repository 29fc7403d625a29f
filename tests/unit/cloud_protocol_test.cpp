// SPDX-License-Identifier: MIT
#include <reheat/adapters/nlohmann_json.hpp>
#include <reheat/sim/cloud_protocol_reader.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace protocol = reheat::cloud_protocol;
using namespace std::chrono_literals;

namespace {

constexpr reheat::nlohmann_json json;

template <class T>
T said(std::string_view line) {
    const auto read = protocol::read_command(line, json);
    REQUIRE_MESSAGE(read.has_value(), std::string{line} << ": " << to_string(read.error()));
    REQUIRE(std::holds_alternative<T>(*read));
    return std::get<T>(*read);
}
template <class T>
T heard(std::string_view line) {
    const auto read = protocol::read_message(line, json);
    REQUIRE_MESSAGE(read.has_value(), std::string{line} << ": " << to_string(read.error()));
    REQUIRE(std::holds_alternative<T>(*read));
    return std::get<T>(*read);
}

} // namespace

TEST_CASE("an instance arrives as it was sent") {
    const protocol::add sent{"db \"1\"",
                             {.stack = "wiki",
                              .services = {"mysqld", "httpd"},
                              .volumes = {"vol-1"},
                              .boot_time = 150ms,
                              .heartbeat_every = 200ms,
                              .heartbeats = false,
                              .host = "h1",
                              .rack = "r1",
                              .zone = "z1"},
                             true};
    const auto got = said<protocol::add>(to_json(sent));
    CHECK(got.name == sent.name);
    CHECK(got.how.stack == "wiki");
    CHECK(got.how.services == sent.how.services);
    CHECK(got.how.volumes == sent.how.volumes);
    CHECK(got.how.boot_time == 150ms);
    CHECK(got.how.heartbeat_every == 200ms);
    CHECK_FALSE(got.how.heartbeats);
    CHECK(got.how.host == "h1");
    CHECK(got.how.rack == "r1");
    CHECK(got.how.zone == "z1");
    CHECK(got.running);
}

TEST_CASE("a call arrives as it was sent, to the last bit of its key") {
    reheat::request r;
    r.op = reheat::op_id{UINT64_MAX};
    r.key = 0xfedc'ba98'7654'3211U;
    r.reign = reheat::epoch{7};
    r.what = reheat::operation::recreate_instance;
    r.name = r.instance = "db-1";
    r.stack = "wiki";
    r.cloud_id = "vm-db-1-1";
    r.hard = true;
    const auto got = said<protocol::call>(protocol::to_json(r, reheat::proof_kind::lease_expired));
    CHECK(got.what == r.what);
    CHECK(got.op == r.op);
    CHECK(got.key == r.key);
    CHECK(got.reign == r.reign);
    CHECK(got.name == "db-1");
    CHECK(got.instance == "db-1");
    CHECK(got.stack == "wiki");
    CHECK(got.cloud_id == "vm-db-1-1");
    CHECK(got.hard);
    CHECK_FALSE(got.replaced);
    CHECK(got.proof == reheat::proof_kind::lease_expired);
    CHECK_FALSE(said<protocol::call>(protocol::to_json(r, {})).proof.has_value());
}

TEST_CASE("every operation of a driver has its word, and nothing else has") {
    for (std::size_t n = 0; n < reheat::operation_count; ++n) {
        reheat::request r;
        r.op = reheat::op_id{1};
        r.what = static_cast<reheat::operation>(n);
        r.name = "a";
        const bool of_a_driver = r.what != reheat::operation::none && r.what != reheat::operation::page &&
                                 r.what != reheat::operation::guest_restarts;
        const auto got = protocol::read_command(protocol::to_json(r, {}), json);
        CHECK(got.has_value() == of_a_driver);
        if (got) CHECK(std::get<protocol::call>(*got).what == r.what);
    }
}

TEST_CASE("what breaks") {
    const auto b = said<protocol::breakage>(R"({"do":"break","name":"a","fault":"instance_lost","in":"250ms"})");
    CHECK(b.what == reheat::fault::instance_lost);
    CHECK(b.in == 250ms);
    const auto h = said<protocol::host_word>(R"({"do":"hosts","what":"cut_off","place":"rack","name":"r1"})");
    CHECK(h.is == protocol::host_word::what::cut_off);
    CHECK(h.where == reheat::mock_place::rack);
    const auto p = said<protocol::programmed>(
        R"({"do":"reply","operation":"fence_instance","manner":"silent","outcome":"unknown","takes_effect":false,)"
        R"("latency":"3s","retry_after":"1m","only":"a","method":"ipmi","always":true})");
    CHECK(p.what == reheat::operation::fence_instance);
    CHECK(p.how.how == reheat::mock_reply::manner::silent);
    CHECK(p.how.code == reheat::outcome_code::unknown);
    CHECK_FALSE(p.how.takes_effect);
    CHECK(p.how.latency == reheat::duration{3s});
    CHECK(p.how.retry_after == 1min);
    CHECK(p.how.only == "a");
    CHECK(p.how.method == "ipmi");
    CHECK(p.always);
    static_cast<void>(said<protocol::watch>(to_json(protocol::watch{})));
    static_cast<void>(said<protocol::usual_replies>(R"({"do":"usual_replies"})"));
    static_cast<void>(said<protocol::status>(R"({"do":"status"})"));
    static_cast<void>(said<protocol::quit>(R"({"do":"quit"})"));
}

TEST_CASE("what the cloud says arrives as it was sent") {
    for (const auto code : {reheat::outcome_code::done, reheat::outcome_code::failed, reheat::outcome_code::refused,
                            reheat::outcome_code::unknown}) {
        protocol::ended sent{reheat::op_id{12}, {code, {}, "because", 90s}};
        sent.result.seen = {true, false, true, "vm-1", "boot-2", "h3", "10.0.0.4"};
        const auto got = heard<protocol::ended>(to_json(sent));
        CHECK(got.op == sent.op);
        CHECK(got.result.code == code);
        CHECK(got.result.reason == "because");
        CHECK(got.result.retry_after == 90s);
        CHECK(got.result.seen.exists == true);
        CHECK(got.result.seen.running == false);
        CHECK(got.result.seen.vouched);
        CHECK(got.result.seen.cloud_id == "vm-1");
        CHECK(got.result.seen.boot_id == "boot-2");
        CHECK(got.result.seen.host == "h3");
        CHECK(got.result.seen.address == "10.0.0.4");
    }
    const auto bare = heard<protocol::ended>(to_json(protocol::ended{reheat::op_id{1}, reheat::outcome::done()}));
    CHECK_FALSE(bare.result.seen.exists.has_value());
    CHECK_FALSE(bare.result.seen.running.has_value());
    const auto beat = heard<protocol::heartbeat>(to_json(protocol::heartbeat{"a", "httpd", "vm-a-1", 3}));
    CHECK(beat.instance == "a");
    CHECK(beat.service == "httpd");
    CHECK(beat.cloud_id == "vm-a-1");
    CHECK(beat.boots == 3);
    const auto no =
        heard<protocol::answer>(to_json(protocol::answer{false, "key: it is missing", reheat::op_id{5}, {}}));
    CHECK_FALSE(no.ok);
    CHECK(no.op == reheat::op_id{5});
    CHECK(no.text == "key: it is missing");
    CHECK(heard<protocol::answer>(to_json(protocol::answer{.ok = true})).op == reheat::no_op);
}

TEST_CASE("a bad line is an error that names the member") {
    struct row {
        const char* line;
        const char* where;
    };
    const std::string long_text(256, 'x');
    const std::string long_name = R"({"do":"add","name":")" + long_text + "\"}";
    const std::string long_line = R"({"do":"status")" + std::string(protocol::longest_line, ' ') + "}";
    std::string many = R"({"do":"add","name":"a","services":["s")";
    for (std::size_t n = 0; n < protocol::most_names; ++n) many += R"(,"s")";
    many += "]}";
    const std::string good = R"("op":1,"key":"0123456789abcdef","epoch":1,"name":"a")";
    const std::string calls_no_operation = R"({"do":"call",)" + good + "}";
    const std::string calls_a_page = R"({"do":"call","operation":"page",)" + good + "}";
    const std::string proves_by_hearsay = R"({"do":"call","operation":"describe","proof":"hearsay",)" + good + "}";
    const std::vector<row> rows{
        {"", "1:1"},
        {"\xff\xfe", "1:1"},
        {"[]", ""},
        {"null", ""},
        {"{}", "do"},
        {R"({"do":1})", "do"},
        {R"({"do":"dance"})", "do"},
        {R"({"do":"status","do":"quit"})", "1:16"},
        {R"({"do":"status"} {})", "1:17"},
        {R"({"do":"status","colour":"red"})", "colour"},
        {R"({"do":"add"})", "name"},
        {R"({"do":"add","name":""})", "name"},
        {long_name.c_str(), "name"},
        {long_line.c_str(), "1:1"},
        {many.c_str(), "services"},
        {R"({"do":"add","name":"a","services":"s"})", "services"},
        {R"({"do":"add","name":"a","services":[1]})", "services"},
        {R"({"do":"add","name":"a","services":[""]})", "services"},
        {R"({"do":"add","name":"a","heartbeat_every":"0s"})", "heartbeat_every"},
        {R"({"do":"add","name":"a","heartbeat_every":"9ms"})", "heartbeat_every"},
        {R"({"do":"add","name":"a","boot_time":"-1s"})", "boot_time"},
        {R"({"do":"add","name":"a","boot_time":40})", "boot_time"},
        {R"({"do":"add","name":"a","boot_time":"40"})", "boot_time"},
        {R"({"do":"add","name":"a","boot_time":"9999d"})", "boot_time"},
        {R"({"do":"add","name":"a","running":"yes"})", "running"},
        {calls_no_operation.c_str(), "operation"},
        {calls_a_page.c_str(), "operation"},
        {proves_by_hearsay.c_str(), "proof"},
        {R"({"do":"call","operation":"describe","key":"0123456789abcdef","epoch":1,"name":"a"})", "op"},
        {R"({"do":"call","operation":"describe","op":0,"key":"0123456789abcdef","epoch":1,"name":"a"})", "op"},
        {R"({"do":"call","operation":"describe","op":-1,"key":"0123456789abcdef","epoch":1,"name":"a"})", "op"},
        {R"({"do":"call","operation":"describe","op":1.5,"key":"0123456789abcdef","epoch":1,"name":"a"})", "op"},
        {R"({"do":"call","operation":"describe","op":1e3,"key":"0123456789abcdef","epoch":1,"name":"a"})", "op"},
        {R"({"do":"call","operation":"describe","op":"1","key":"0123456789abcdef","epoch":1,"name":"a"})", "op"},
        {R"({"do":"call","operation":"describe","op":1,"key":"123","epoch":1,"name":"a"})", "key"},
        {R"({"do":"call","operation":"describe","op":1,"key":"0123456789abcdeg","epoch":1,"name":"a"})", "key"},
        {R"({"do":"call","operation":"describe","op":1,"key":1,"epoch":1,"name":"a"})", "key"},
        {R"({"do":"call","operation":"describe","op":1,"key":"0123456789abcdef","name":"a"})", "epoch"},
        {R"({"do":"break","name":"a"})", "fault"},
        {R"({"do":"break","name":"a","fault":"fire"})", "fault"},
        {R"({"do":"break","name":"a","fault":"instance_lost","in":"-5s"})", "in"},
        {R"({"do":"hosts","what":"crash","place":"moon","name":"a"})", "place"},
        {R"({"do":"hosts","what":"crash","place":"host"})", "name"},
        {R"({"do":"reply","operation":"describe","outcome":"maybe"})", "outcome"},
        {R"({"do":"reply","operation":"describe","manner":"rude"})", "manner"},
        {R"({"do":{"do":{"do":{"do":1}}}})", "1:19"},
    };
    for (const row& r : rows) {
        const auto read = protocol::read_command(r.line, json);
        CAPTURE(std::string_view{r.line}.substr(0, 120));
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().where == r.where);
        CHECK(read.error().message.size() < 200);
    }
}

TEST_CASE("a bad message of the cloud is an error that names the member") {
    CHECK(protocol::read_message(R"({"outcome":"done"})", json).error().where == "op");
    CHECK(protocol::read_message(R"({"outcome":"fine","op":1})", json).error().where == "outcome");
    CHECK(protocol::read_message(R"({"outcome":"done","op":1,"seen":[]})", json).error().where == "seen");
    CHECK(protocol::read_message(R"({"outcome":"done","op":1,"seen":{"exists":"no"}})", json).error().where ==
          "seen.exists");
    CHECK(protocol::read_message(R"({"outcome":"done","op":1,"seen":{"soul":true}})", json).error().where ==
          "seen.soul");
    CHECK(protocol::read_message(R"({"heartbeat":"a","boots":4294967296})", json).error().where == "boots");
    CHECK(protocol::read_message(R"({"heartbeat":"a"})", json).error().where == "boots");
    CHECK(protocol::read_message("{}", json).error().where == "ok");
}

TEST_CASE("a call that can not be read says whose it is, if it can") {
    CHECK(protocol::op_of(R"({"do":"call","op":7,"key":1})", json) == reheat::op_id{7});
    CHECK(protocol::op_of(R"({"do":"call","op":"7"})", json) == reheat::no_op);
    CHECK(protocol::op_of(R"({"do":"call"})", json) == reheat::no_op);
    CHECK(protocol::op_of("[7]", json) == reheat::no_op);
    CHECK(protocol::op_of("{", json) == reheat::no_op);
}

TEST_CASE("a line with some bytes changed is read or refused, and what is read can be sent again") {
    constexpr std::uint32_t seed = 20'261'127;
    INFO("seed ", seed);
    std::mt19937 random{seed};
    reheat::request r;
    r.op = reheat::op_id{77};
    r.what = reheat::operation::fence_instance;
    r.name = r.instance = "db-1";
    r.method = "ipmi";
    const std::vector<std::string> lines{
        protocol::to_json(r, {}), to_json(protocol::add{"db-1", {.stack = "wiki", .services = {"a", "b"}}, false}),
        to_json(protocol::ended{reheat::op_id{3}, reheat::outcome::failed("x")}),
        to_json(protocol::heartbeat{"a", {}, "vm", 2})};
    std::size_t refused = 0;
    for (int n = 0; n < 20'000; ++n) {
        std::string line = lines[random() % lines.size()];
        for (std::uint32_t k = random() % 4; k-- > 0;) {
            const std::size_t at = random() % line.size();
            switch (random() % 3) {
            case 0: line[at] = static_cast<char>(random() & 0xffU); break;
            case 1: line.erase(at, 1 + random() % 5); break;
            default: line.insert(at, 1, static_cast<char>(random() & 0x7fU));
            }
            if (line.empty()) line = "{";
        }
        const auto command = protocol::read_command(line, json);
        if (command && std::holds_alternative<protocol::add>(*command)) {
            const auto& a = std::get<protocol::add>(*command);
            CHECK(said<protocol::add>(to_json(a)).name == a.name);
        }
        const auto message = protocol::read_message(line, json);
        if (message && std::holds_alternative<protocol::ended>(*message)) {
            const auto& e = std::get<protocol::ended>(*message);
            CHECK(heard<protocol::ended>(to_json(e)).op == e.op);
        }
        refused += command || message ? 0U : 1U;
    }
    CHECK(refused > 5'000);
    CHECK(refused < 15'000);
}
