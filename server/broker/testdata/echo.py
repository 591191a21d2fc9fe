"""Sends back what arrives on to/python, until that is "end".

usage: echo.py tcp|websockets 4|5 HOST PORT
"""

import sys

import paho.mqtt.client as mqtt

transport, version, host, port = sys.argv[1:]


def on_connect(client, userdata, flags, reason, properties=None):
    assert reason == 0, reason
    client.subscribe("to/python", qos=2)


def on_subscribe(client, userdata, mid, granted, properties=None):
    client.publish("from/python", "ready", qos=2)


def on_message(client, userdata, message):
    client.publish("from/python", message.payload, qos=message.qos)
    if message.payload == b"end":
        client.disconnect()


client = mqtt.Client(protocol=int(version), transport=transport)
client.username_pw_set("emqx", "public")
client.on_connect = on_connect
client.on_subscribe = on_subscribe
client.on_message = on_message
client.connect(host, int(port))
client.loop_forever()
