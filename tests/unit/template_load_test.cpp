// SPDX-License-Identifier: MIT
#include <reheat/adapters/nlohmann_json.hpp>
#include <reheat/stack/load_template.hpp>

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

using reheat::errc;
using reheat::node;

namespace {

std::string file(const std::string& name) {
    std::ifstream in{"tests/data/" + name, std::ios::binary};
    REQUIRE(in);
    return {std::istreambuf_iterator<char>{in}, {}};
}

reheat::template_options options() {
    return {.stack_name = "wiki", .stack_id = "7c8e4c2a", .tenant = "t1", .parameters = {{"KeyName", "ops"}}};
}

reheat::result<reheat::stack_template> load(std::string_view text, const reheat::template_options& with = options()) {
    return reheat::load_template(text, reheat::nlohmann_json{}, with);
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

/// A template of one handle `H` and more members: `{…}` of a resource `X`, if given.
std::string small(std::string_view resource, std::string_view sections = {}) {
    std::string out = R"({"AWSTemplateFormatVersion":"2010-09-09",)";
    out += sections;
    out += R"("Resources":{"H":{"Type":"AWS::CloudFormation::WaitConditionHandle"},"X":)";
    out += resource;
    return out + "}}";
}

/// The same with an instance whose user data is `value`.
std::string with_user_data(std::string_view value, std::string_view sections = {}) {
    return small(R"({"Type":"AWS::EC2::Instance","Properties":{"ImageId":"i","InstanceType":"m","UserData":)" +
                     std::string{value} + "}}",
                 sections);
}

std::vector<std::string> order_of(const reheat::stack_template& t) {
    std::vector<std::string> out;
    for (const std::size_t i : t.creation_order()) out.push_back(t.resources()[i].name);
    return out;
}

} // namespace

TEST_CASE("a template with the heartbeat alarm loads, its cycle through the alarm included") {
    const auto loaded = load(file("heartbeat.template"));
    REQUIRE_MESSAGE(loaded, to_string(loaded.error()));
    using names = std::vector<std::string>;
    CHECK(order_of(*loaded) == names{"User", "Keys", "Handle", "Wiki", "Restarter", "Ready", "Silence"});
    CHECK(loaded->find("Silence")->depends_on == names{"Ready", "Restarter"});
    CHECK(loaded->find("Wiki")->depends_on == names{"Handle", "Keys"});
    CHECK(loaded->find("Wiki")->deletion_policy == "Delete");
    CHECK(loaded->instance_of("Restarter") == "Wiki");
    CHECK(loaded->instance_of("Wiki").empty());
    CHECK(loaded->find("Silence")->linked("AlarmActions") == "Restarter");
    CHECK(loaded->parameter("Size")->text() == "m1.small");
    CHECK(loaded->parameter("AWS::Region")->text() == "ap-southeast-1");
    CHECK(loaded->parameter("AWS::StackId")->text() == "arn:openstack:heat::t1:stacks/wiki/7c8e4c2a");
    CHECK(loaded->outputs().size() == 1);
    CHECK(loaded->outputs()[0].description == "Where the wiki is");
    CHECK(loaded->parameters()[4].no_echo);
}

TEST_CASE("a template with the service failure alarm loads") {
    const auto loaded = load(file("service_failure.template"));
    REQUIRE_MESSAGE(loaded, to_string(loaded.error()));
    CHECK(order_of(*loaded) == std::vector<std::string>{"Policy", "User", "Keys", "Handle", "Shop", "Restarter",
                                                        "TooManyRestarts", "Ready"});
    CHECK(loaded->find("TooManyRestarts")->linked("AlarmActions") == "Restarter");
    CHECK(loaded->find("Shop")->deletion_policy == "Retain");
    CHECK(loaded->parameter("Workers")->text() == "2");
}

TEST_CASE("DependsOn an alarm is an edge though a Ref to it is none") {
    const std::string text =
        replaced(file("heartbeat.template"), R"("Type": "AWS::CloudFormation::WaitConditionHandle")",
                 R"("Type": "AWS::CloudFormation::WaitConditionHandle", "DependsOn": "Silence")");
    const auto loaded = load(text);
    REQUIRE(!loaded);
    CHECK(loaded.error().code == errc::cycle);
    // The cycle without the weak edge from Wiki to Silence.
    CHECK(loaded.error().message == "these wait for each other: Silence -> Ready -> Wiki -> Handle -> Silence");
    CHECK(loaded.error().where == "$.Resources.Silence");
}

TEST_CASE("parameters take what is given, in the type they have") {
    constexpr std::string_view sections = R"("Parameters":{
        "L":{"Type":"CommaDelimitedList","Default":"a, b,c","AllowedValues":["a","b","c"]},
        "J":{"Type":"Json","Default":"{\"k\":[1]}"},
        "N":{"Type":"Number","Default":3,"AllowedValues":["1","3.0"]},
        "S":{"Type":"String","Default":"gr\u00fc\u00df","MaxLength":4}},)";
    auto with = options();
    with.parameters = {{"S", "x"}};
    auto loaded = load(with_user_data(R"({"Fn::Join":["-",{"Ref":"L"}]})", sections), with);
    REQUIRE_MESSAGE(loaded, to_string(loaded.error()));
    CHECK(loaded->parameter("L")->items().size() == 3);
    CHECK(loaded->parameter("L")->items()[1].text() == "b");
    CHECK(loaded->parameter("J")->find("k")->items()[0].text() == "1");
    CHECK(loaded->parameter("S")->text() == "x");
    with.parameters.clear();
    CHECK(load(with_user_data(R"("")", sections), with));
}

TEST_CASE("a broken template gives an error with its place, and what was expected") {
    const std::string heartbeat = file("heartbeat.template");
    const auto change = [&](std::string_view from, std::string_view to) { return replaced(heartbeat, from, to); };
    std::string nested(1U << 20U, '[');
    struct row {
        std::string text;
        errc code;
        std::string_view where;
        std::string_view message;
    };
    const std::string prefix = R"({"AWSTemplateFormatVersion":"2010-09-09","Resources":)";
    const row rows[] = {
        // The text.
        {heartbeat.substr(0, 700), errc::syntax, "", ""},
        {"", errc::syntax, "1:1", ""},
        {nested.substr(0, nested.size() - 1), errc::limit_exceeded, "1:65", "nested deeper"},
        {nested + "x", errc::limit_exceeded, "1:1", "bytes"},
        {change(R"("User": {)", R"("Keys": {)"), errc::syntax, "", "already"},
        {"[]", errc::syntax, "$", "expected a template, found a list"},
        // Sections.
        {change(R"("AWSTemplateFormatVersion": "2010-09-09",)", ""), errc::syntax, "$", "found neither"},
        {change("2010-09-09", "2011-01-01"), errc::unsupported, "$.AWSTemplateFormatVersion",
         "expected '2010-09-09', found a string '2011-01-01'"},
        {R"({"heat_template_version":"2013-05-23"})", errc::unsupported, "$.heat_template_version", "HOT"},
        {change(R"("Outputs")", R"("Conditions")"), errc::unsupported, "$.Conditions",
         "'Conditions' is not known here; expected"},
        {R"({"AWSTemplateFormatVersion":"2010-09-09"})", errc::syntax, "$.Resources", "at least one resource"},
        {prefix + "[]}", errc::syntax, "$.Resources", "at least one resource"},
        {prefix + R"({"A":1}})", errc::syntax, "$.Resources.A", "expected an object, found a number '1'"},
        {prefix + R"({"A/B":{"Type":"AWS::IAM::User"}}})", errc::invalid_argument, "$.Resources['A/B']",
         "expected a name"},
        // Parameters.
        {change(R"("Description": "Who may log in")", R"("Descripton": "")"), errc::unsupported,
         "$.Parameters.KeyName.Descripton", "expected Type"},
        {change(R"("Type": "Number", "Default": "600")", R"("Type": "Integer", "Default": "600")"), errc::unsupported,
         "$.Parameters.Patience.Type", "expected String, Number, CommaDelimitedList or Json, found a string 'Integer'"},
        {change(R"("Default": "600")", R"("Default": "soon")"), errc::invalid_argument, "$.Parameters.Patience.Default",
         "expected a number, found 'soon'"},
        {change(R"("Default": "600")", R"("Default": "4000")"), errc::invalid_argument, "$.Parameters.Patience",
         "expected at most 3600, found '4000'"},
        {change(R"("Default": "600")", R"("Default": ["600"])"), errc::syntax, "$.Parameters.Patience.Default",
         "expected text, found a list"},
        {change(R"("Default": "m1.small")", R"("Default": "m9")"), errc::invalid_argument, "$.Parameters.Size",
         "expected m1.tiny, m1.small or m1.large, found 'm9' (choose a size that the cloud offers)"},
        {change(R"("Default": "wiki")", R"("Default": "1wiki")"), errc::invalid_argument, "$.Parameters.Database",
         "expected text of the pattern [a-zA-Z][a-zA-Z0-9]*, found '1wiki' (a letter, then letters and digits)"},
        {change(R"("Default": "wiki")", R"("Default": "")"), errc::invalid_argument, "$.Parameters.Database",
         "expected at least 1 characters"},
        {change(R"("Default": "wiki")", R"("Default": "abcdefghijklmnopq")"), errc::invalid_argument,
         "$.Parameters.Database", "expected at most 16 characters"},
        {change(R"([a-zA-Z][a-zA-Z0-9]*)", R"((?=a).*)"), errc::unsupported, "$.Parameters.Database.AllowedPattern",
         "a special group"},
        {change(R"("MaxLength": "16")", R"("MaxLength": "many")"), errc::syntax, "$.Parameters.Database.MaxLength",
         "expected a number, found a string 'many'"},
        {change(R"("NoEcho": "true")", R"("NoEcho": "maybe")"), errc::invalid_argument, "$.Parameters.Password.NoEcho",
         "true or false"},
        {change(R"("AllowedValues": ["F17"])", R"("AllowedValues": [])"), errc::syntax,
         "$.Parameters.Release.AllowedValues", "expected a list"},
        // Mappings.
        {change(R"("m1.tiny": { "Arch": "32" })", R"("m1.tiny": "32")"), errc::syntax,
         "$.Mappings.SizeToArch['m1.tiny']", "expected an object, found a string '32'"},
        {change(R"("m1.small": { "Arch": "64" })", R"("m1.small": { "Bits": "64" })"), errc::not_found,
         "$.Resources.Wiki.Properties.ImageId['Fn::FindInMap'][2]['Fn::FindInMap'][2]",
         "second key that exists, found a string 'Arch'"},
        {change(R"("m1.small": { "Arch": "64" },)", ""), errc::not_found,
         "$.Resources.Wiki.Properties.ImageId['Fn::FindInMap'][2]['Fn::FindInMap'][1]",
         "first key that exists, found a string 'm1.small'"},
        {change(R"("Fn::FindInMap": ["SizeToArch")", R"("Fn::FindInMap": ["Sizes")"), errc::not_found,
         "$.Resources.Wiki.Properties.ImageId['Fn::FindInMap'][2]['Fn::FindInMap'][0]",
         "mapping that exists, found a string 'Sizes'"},
        // Resources.
        {change("AWS::EC2::Instance", "AWS::EC2::Instanze"), errc::unsupported, "$.Resources.Wiki.Type",
         "expected AWS::EC2::Instance, AWS::"},
        {change(R"("Type": "AWS::IAM::User")", R"("Tipe": "AWS::IAM::User")"), errc::unsupported,
         "$.Resources.User.Tipe", "expected Type"},
        {small("{}"), errc::syntax, "$.Resources.X", "expected a Type"},
        {change(R"("KeyName": { "Ref": "KeyName" })", R"("KeyNames": { "Ref": "KeyName" })"), errc::unsupported,
         "$.Resources.Wiki.Properties.KeyNames", "AWS::EC2::Instance has no property 'KeyNames'; expected ImageId"},
        {change(R"("InstanceType": { "Ref": "Size" },)", ""), errc::syntax, "$.Resources.Wiki.Properties",
         "needs the property InstanceType"},
        {change(R"("Period": "60")", R"("Period": "a minute")"), errc::invalid_argument,
         "$.Resources.Silence.Properties.Period",
         "expected a whole number from 1 to 604800, found a string 'a minute'"},
        {change(R"("EvaluationPeriods": "1")", R"("EvaluationPeriods": 0)"), errc::invalid_argument,
         "$.Resources.Silence.Properties.EvaluationPeriods", "found a number '0'"},
        {change(R"("Threshold": "1")", R"("Threshold": [1])"), errc::syntax, "$.Resources.Silence.Properties.Threshold",
         "expected a number, found a list"},
        {change("LessThanThreshold", "Below"), errc::invalid_argument,
         "$.Resources.Silence.Properties.ComparisonOperator",
         "LessThanThreshold or LessThanOrEqualToThreshold, found a string 'Below'"},
        {change(R"("Namespace": "system/linux")", R"("Namespace": null)"), errc::syntax,
         "$.Resources.Silence.Properties.Namespace", "found null"},
        {change(R"([{ "Ref": "Restarter" }])", R"([{ "Ref": "Wiki" }])"), errc::invalid_argument,
         "$.Resources.Silence.Properties.AlarmActions[0]",
         "expected a Ref to a resource of type OS::Heat::HARestarter or its AlarmUrl, found one to Wiki, of type "
         "AWS::EC2::Instance"},
        {change(R"([{ "Ref": "Restarter" }])", R"({ "Ref": "Restarter" })"), errc::syntax,
         "$.Resources.Silence.Properties.AlarmActions", "expected a list of text"},
        {change(R"("InstanceId": { "Ref": "Wiki" })", R"("InstanceId": "some-uuid")"), errc::invalid_argument,
         "$.Resources.Restarter.Properties.InstanceId",
         "expected a Ref to a resource of type AWS::EC2::Instance, found a string"},
        {change(R"("Timeout": { "Ref": "Patience" })", R"("Timeout": 43201)"), errc::invalid_argument,
         "$.Resources.Ready.Properties.Timeout", "from 1 to 43200"},
        {small(R"({"Type":"AWS::IAM::User","DeletionPolicy":"Keep"})"), errc::invalid_argument,
         "$.Resources.X.DeletionPolicy", "expected Delete, Retain or Snapshot"},
        {small(R"({"Type":"AWS::IAM::User","Metadata":"x"})"), errc::syntax, "$.Resources.X.Metadata",
         "expected an object"},
        {small(
             R"({"Type":"AWS::EC2::Instance","Properties":{"ImageId":"i","InstanceType":"m","Tags":[{"Key":"a","Wert":"b"}]}})"),
         errc::unsupported, "$.Resources.X.Properties.Tags[0].Wert", "expected only Key or Value"},
        {small(
             R"({"Type":"AWS::EC2::Instance","Properties":{"ImageId":"i","InstanceType":"m","SecurityGroups":["a",{}]}})"),
         errc::syntax, "$.Resources.X.Properties.SecurityGroups[1]", "expected text, found an object"},
        // References and functions.
        {change(R"("KeyName": { "Ref": "KeyName" })", R"("KeyName": { "Ref": "Kee" })"), errc::not_found,
         "$.Resources.Wiki.Properties.KeyName.Ref", "found 'Kee'"},
        {change(R"({ "Ref": "Silence" }, " --heartbeat)", R"({ "Ref": "Noise" }, " --heartbeat)"), errc::not_found,
         "$.Resources.Wiki.Metadata['AWS::CloudFormation::Init'].config.files['/tmp/"
         "beat'].content['Fn::Join'][1][1].Ref",
         "found 'Noise'"},
        {change(R"(["Wiki", "PublicIp"])", R"(["Wiky", "PublicIp"])"), errc::not_found,
         "$.Outputs.Address.Value['Fn::Join'][1][1]['Fn::GetAtt']", "found 'Wiky'"},
        {change(R"(["Wiki", "PublicIp"])", R"(["Wiki", "Colour"])"), errc::not_found,
         "$.Outputs.Address.Value['Fn::Join'][1][1]['Fn::GetAtt']",
         "AWS::EC2::Instance has no attribute 'Colour', expected PublicIp"},
        {change(R"(["Wiki", "PublicIp"])", R"("Wiki.PublicIp")"), errc::syntax,
         "$.Outputs.Address.Value['Fn::Join'][1][1]['Fn::GetAtt']", "two names"},
        {change("Fn::Base64", "Fn::Base32"), errc::unsupported, "$.Resources.Wiki.Properties.UserData['Fn::Base32']",
         "unknown function; expected Ref"},
        {with_user_data(R"({"Fn::Join":["",["a"],"b"]})"), errc::syntax,
         "$.Resources.X.Properties.UserData['Fn::Join']", "expected a delimiter and a list, found 3 items"},
        {with_user_data(R"({"Fn::Join":"a"})"), errc::syntax, "$.Resources.X.Properties.UserData['Fn::Join']",
         "found a string"},
        {with_user_data(R"({"Fn::Join":["","a"]})"), errc::syntax, "$.Resources.X.Properties.UserData['Fn::Join'][1]",
         "expected a list, found a string 'a'"},
        {with_user_data(R"({"Fn::Join":["",{"Ref":"H"}]})"), errc::syntax,
         "$.Resources.X.Properties.UserData['Fn::Join'][1]", "expected a list"},
        {with_user_data(R"({"Fn::Join":["",["a",["b"]]]})"), errc::syntax,
         "$.Resources.X.Properties.UserData['Fn::Join'][1][1]", "expected text, found a list"},
        {with_user_data(R"({"Fn::Join":["",["a",null]]})"), errc::syntax,
         "$.Resources.X.Properties.UserData['Fn::Join'][1][1]", "found null"},
        {with_user_data(R"({"Fn::Base64":"x","Ref":"H"})"), errc::syntax,
         "$.Resources.X.Properties.UserData['Fn::Base64']", "stands alone"},
        {with_user_data(R"({"Ref":["H"]})"), errc::syntax, "$.Resources.X.Properties.UserData.Ref",
         "expected a name, found a list"},
        {with_user_data(R"({"Fn::Select":["2",["a","b"]]})"), errc::invalid_argument,
         "$.Resources.X.Properties.UserData['Fn::Select'][0]", "expected an index below 2, found a string '2'"},
        {with_user_data(R"({"Fn::Split":["","a"]})"), errc::invalid_argument,
         "$.Resources.X.Properties.UserData['Fn::Split'][0]", "empty"},
        {with_user_data(R"({"a":1})"), errc::syntax, "$.Resources.X.Properties.UserData",
         "expected text, found an object"},
        {with_user_data(R"({"Fn::Join":["",{"Fn::Base64":{"Ref":"H"}}]})"), errc::syntax,
         "$.Resources.X.Properties.UserData['Fn::Join'][1]", "expected a list"},
        {change(R"("Timeout": { "Ref": "Patience" })", R"("Timeout": { "Ref": "Wiki" })"), errc::syntax,
         "$.Resources.Ready.Properties.Timeout", "known before resources exist, found one that a resource gives"},
        // Names and dependencies.
        {change(R"("DependsOn": "Wiki")", R"("DependsOn": "Vicky")"), errc::not_found, "$.Resources.Ready.DependsOn",
         "found 'Vicky'"},
        {change(R"("DependsOn": "Wiki")", R"("DependsOn": ["Wiki", 3])"), errc::syntax,
         "$.Resources.Ready.DependsOn[1]", "name of a resource"},
        {change(R"("User": { "Type": "AWS::IAM::User" })",
                R"("User": { "Type": "AWS::IAM::User", "DependsOn": "Keys" })"),
         errc::cycle, "$.Resources.User", "these wait for each other: User -> Keys -> User"},
        {change(R"("Handle": { "Type")", R"("Size": { "Type")"), errc::already_exists, "$.Resources.Size",
         "a parameter has this name"},
        {with_user_data(R"({"Ref":"X"})"), errc::cycle, "$.Resources.X", "X -> X"},
        {change(R"("Address": {)", R"("Address": [], "Other": {)"), errc::syntax, "$.Outputs.Address",
         "expected an object"},
        {change(R"("Value": { "Fn::Join")", R"("Worth": { "Fn::Join")"), errc::unsupported, "$.Outputs.Address.Worth",
         "expected Value or Description"},
    };
    for (const row& r : rows) {
        auto with = options();
        if (r.text.find("KeyName") == std::string::npos) with.parameters.clear();
        const auto loaded = load(r.text, with);
        CAPTURE(r.where);
        CAPTURE(r.message);
        REQUIRE(!loaded);
        CAPTURE(to_string(loaded.error()));
        CHECK(to_string(loaded.error().code) == to_string(r.code));
        if (!r.where.empty()) CHECK(loaded.error().where == r.where);
        CHECK(!loaded.error().where.empty());
        CHECK(loaded.error().message.find(r.message) != std::string::npos);
    }
}

TEST_CASE("wrong options are errors too") {
    const std::string text = file("heartbeat.template");
    auto with = options();
    with.parameters.clear();
    CHECK(to_string(load(text, with).error()) == "$.Parameters.KeyName: no value was given, and there is no Default");
    with.parameters = {{"KeyName", "a"}, {"KeyNome", "b"}};
    CHECK(load(text, with).error().code == errc::not_found);
    CHECK(load(text, with)
              .error()
              .message.starts_with("parameter 'KeyNome' was given, but the template has only KeyName, Size"));
    with.parameters = {{"KeyName", "a"}, {"KeyName", "b"}};
    CHECK(load(text, with).error().code == errc::already_exists);
    with.parameters = {{"KeyName", std::string(100'000, 'k')}};
    CHECK(load(text, with).error().code == errc::limit_exceeded);
    with = options();
    with.stack_name = "7/wiki";
    CHECK(load(text, with).error().where == "stack_name");
}

TEST_CASE("no error shows the value of a NoEcho parameter") {
    const std::string text = file("heartbeat.template");
    auto with = options();
    with.parameters.emplace_back("Password", "pass word");
    auto bad = load(text, with);
    REQUIRE(!bad);
    CHECK(bad.error().where == "$.Parameters.Password");
    CHECK(to_string(bad.error()).find("pass word") == std::string::npos);
    with.parameters.back().second = "hunter2";
    struct row {
        std::string_view from, to, where;
    };
    const row rows[] = {
        {R"("Threshold": "1")", R"("Threshold": {"Ref":"Password"})", "$.Resources.Silence.Properties.Threshold"},
        {R"("Statistic": "SampleCount")", R"("Statistic": {"Fn::Join":["",["x",{"Ref":"Password"}]]})",
         "$.Resources.Silence.Properties.Statistic"},
        {R"(["SizeToArch", { "Ref": "Size" })", R"(["SizeToArch", { "Ref": "Password" })",
         "$.Resources.Wiki.Properties.ImageId['Fn::FindInMap'][2]['Fn::FindInMap'][1]"},
        {R"("Threshold": "1")", R"("Threshold": {"Fn::Select":[{"Ref":"Password"},["1"]]})",
         "$.Resources.Silence.Properties.Threshold['Fn::Select'][0]"},
    };
    for (const row& r : rows) {
        bad = load(replaced(text, r.from, r.to), with);
        REQUIRE(!bad);
        CHECK(bad.error().where == r.where);
        CHECK(to_string(bad.error()).find("hunter2") == std::string::npos);
    }
}

TEST_CASE("a node made by hand is checked as well") {
    const node handle = node::object({{"Type", node::string("AWS::CloudFormation::WaitConditionHandle")}});
    const auto document = [](node resources) {
        return node::object(
            {{"AWSTemplateFormatVersion", node::string("2010-09-09")}, {"Resources", std::move(resources)}});
    };
    const auto twice =
        reheat::load_template(document(node::object({{"A", handle}, {"A", handle}})), {.stack_name = "s"});
    REQUIRE(!twice);
    CHECK(twice.error().code == errc::already_exists);
    CHECK(twice.error().where == "$.Resources.A");

    node deep = node::string("x");
    for (int i = 0; i < 500; ++i) deep = node::object({{"Fn::Base64", std::move(deep)}});
    const node instance = node::object(
        {{"Type", node::string("AWS::EC2::Instance")},
         {"Properties",
          node::object({{"ImageId", node::string("i")}, {"InstanceType", node::string("m")}, {"UserData", deep}})}});
    const auto nested = reheat::load_template(document(node::object({{"A", instance}})), {.stack_name = "s"});
    REQUIRE(!nested);
    CHECK(nested.error().code == errc::limit_exceeded);
    CHECK(nested.error().where.starts_with("$.Resources.A.Properties.UserData['Fn::Base64']"));

    std::vector<node::member> many;
    for (int i = 0; i < 1001; ++i) many.emplace_back("R" + std::to_string(i), handle);
    CHECK(reheat::load_template(document(node::object(std::move(many))), {.stack_name = "s"}).error().code ==
          errc::limit_exceeded);
}

TEST_CASE("functions that repeat a long text are stopped") {
    std::string value = R"("Parameters":{"P":{"Type":"String","Default":")" + std::string(60'000, 'p') + R"("}},)";
    std::string items;
    for (int i = 0; i < 1000; ++i) items += R"({"Ref":"P"},)";
    items.pop_back();
    auto with = options();
    with.parameters.clear();
    const auto joined = load(with_user_data(R"({"Fn::Join":["",[)" + items + "]]}", value), with);
    REQUIRE(!joined);
    CHECK(joined.error().code == errc::limit_exceeded);
    std::string replaced_again = R"("aa")";
    for (int i = 0; i < 30; ++i) replaced_again = R"({"Fn::Replace":[{"a":"aaaa"},)" + replaced_again + "]}";
    const auto grown = load(with_user_data(replaced_again), with);
    REQUIRE(!grown);
    CHECK(grown.error().code == errc::limit_exceeded);
}

TEST_CASE("functions give what Heat gives") {
    struct row {
        std::string_view value, gives;
    };
    constexpr row rows[] = {
        {R"({"Fn::Join":[",",["a",1,true,"b"]]})", "a,1,true,b"},
        {R"({"Fn::Join":["-",{"Fn::Split":[",","a,b,,c"]}]})", "a-b--c"},
        {R"({"Fn::Select":[1,["a","b"]]})", "b"},
        {R"({"Fn::Select":["0",{"Fn::GetAZs":""}]})", "nova"},
        {R"({"Fn::Replace":[{"%a":"1","%b":{"Ref":"AWS::StackName"}},"%a %b %a"]})", "1 wiki 1"},
        {R"({"Fn::Base64":{"Fn::Join":["",[]]}})", ""},
        {R"({"Ref":"AWS::Region"})", "ap-southeast-1"},
    };
    for (const row& r : rows) {
        auto with = options();
        with.parameters.clear();
        const auto loaded = load(with_user_data(r.value), with);
        REQUIRE_MESSAGE(loaded, to_string(loaded.error()));
        const reheat::detail::unborn_values values{*loaded};
        reheat::function_resolver<reheat::detail::unborn_values> resolver{values};
        const auto value = resolver.resolve(*loaded->find("X")->properties.find("UserData"), {});
        REQUIRE(value);
        CHECK(value->text() == r.gives);
    }
}
