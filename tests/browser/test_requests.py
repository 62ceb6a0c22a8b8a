from harness.browser.requests import failure_of, with_advice


def test_a_port_that_browsers_block_is_told_with_what_to_do() -> None:
    said = "net::ERR_UNSAFE_PORT at http://127.0.0.1:10080/"
    assert with_advice(said).startswith(f"{said} (browsers load nothing from this port")
    refused = "net::ERR_CONNECTION_REFUSED at http://127.0.0.1:3000/"
    assert with_advice(refused) == refused
    assert failure_of(refused) == "refused"
