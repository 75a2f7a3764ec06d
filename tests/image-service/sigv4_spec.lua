-- The vectors are those AWS publishes: the examples of the S3 documentation, and the aws-sig-v4-test-suite.
package.path = (os.getenv("CHIEF_SOURCE") or ".") .. "/tests/image-service/?.lua;" .. package.path
require "helper"
local sigv4 = require "lib.sigv4"

local s3_credentials = {
  access_key = "AKIAIOSFODNN7EXAMPLE", secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", region = "us-east-1",
}

local function s3_request(method, path, more)
  local request = { method = method, path = path, query = more.query, payload_hash = more.payload_hash or sigv4.EMPTY }
  request.headers = {
    host = "examplebucket.s3.amazonaws.com",
    ["x-amz-content-sha256"] = request.payload_hash,
    ["x-amz-date"] = "20130524T000000Z",
  }
  for name, value in pairs(more.headers or {}) do request.headers[name] = value end
  return request
end

local function signature_of(request, credentials, timestamp)
  return sigv4.authorization(request, credentials, timestamp):match("Signature=(%x+)$")
end

describe("sigv4", function()
  it("signs the documentation's GET Object", function()
    local request = s3_request("GET", "/test.txt", { headers = { Range = "bytes=0-9" } })
    assert.are.equal(
      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        .. "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
        .. "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
      sigv4.authorization(request, s3_credentials, "20130524T000000Z"))
  end)

  it("signs the documentation's PUT Object, whose key needs escaping", function()
    local request = s3_request("PUT", "/test$file.text", {
      headers = { Date = "Fri, 24 May 2013 00:00:00 GMT", ["x-amz-storage-class"] = "REDUCED_REDUNDANCY" },
      payload_hash = sigv4.sha256("Welcome to Amazon S3."),
    })
    assert.are.equal("98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
      signature_of(request, s3_credentials, "20130524T000000Z"))
  end)

  it("signs the documentation's GET Bucket Lifecycle", function()
    local request = s3_request("GET", "/", { query = { { "lifecycle", "" } } })
    assert.are.equal("fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
      signature_of(request, s3_credentials, "20130524T000000Z"))
  end)

  it("signs the documentation's List Objects", function()
    local request = s3_request("GET", "/", { query = { { "prefix", "J" }, { "max-keys", "2" } } })
    assert.are.equal("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
      signature_of(request, s3_credentials, "20130524T000000Z"))
  end)

  local suite_credentials = {
    access_key = "AKIDEXAMPLE", secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    region = "us-east-1", service = "service",
  }

  local function suite_request(method, query)
    return {
      method = method, path = "/", query = query, payload_hash = sigv4.EMPTY,
      headers = { Host = "example.amazonaws.com", ["X-Amz-Date"] = "20150830T123600Z" },
    }
  end

  it("signs the suite's get-vanilla", function()
    assert.are.equal("5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
      signature_of(suite_request("GET"), suite_credentials, "20150830T123600Z"))
  end)

  it("signs the suite's get-vanilla-query-order-key-case", function()
    local query = { { "Param2", "value2" }, { "Param1", "value1" } }
    assert.are.equal("b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
      signature_of(suite_request("GET", query), suite_credentials, "20150830T123600Z"))
  end)

  it("signs the suite's post-vanilla", function()
    assert.are.equal("5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
      signature_of(suite_request("POST"), suite_credentials, "20150830T123600Z"))
  end)

  it("squeezes the blanks of a header", function()
    local request = suite_request("GET")
    request.headers["My-Header1"] = "  a   b \t c  "
    assert.is_truthy(sigv4.canonical_request(request):find("my-header1:a b c\n", 1, true))
  end)
end)
