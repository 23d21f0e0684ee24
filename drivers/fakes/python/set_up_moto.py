"""Fills a moto server by boto3, then lets it verify signatures and policies, and prints what is there."""

import json
import sys

import boto3

URL = sys.argv[1]
ANYBODY = {"aws_access_key_id": "anybody", "aws_secret_access_key": "anything"}


def client(service, region="eu-west-1"):
    return boto3.client(service, region_name=region, endpoint_url=URL, **ANYBODY)


def policy(*actions):
    statement = {"Effect": "Allow", "Action": [f"ec2:{action}" for action in actions], "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def user(name, *actions):
    iam = client("iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy(*actions))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"id": key["AccessKeyId"], "secret": key["SecretAccessKey"]}


def role(name, *actions):
    iam = client("iam")
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRoleWithWebIdentity"}]}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(*actions))
    return arn


def instance(region):
    image = client("ec2", region).describe_images()["Images"][0]["ImageId"]
    made = client("ec2", region).run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]
    return {"id": made["InstanceId"], "address": made["PrivateIpAddress"], "name": made["PrivateDnsName"]}


print(
    json.dumps(
        {
            "restarter": user("restarter", "DescribeInstances", "RebootInstances"),
            "reader": user("reader", "DescribeInstances"),
            "role": role("restarter", "DescribeInstances", "RebootInstances"),
            "here": instance("eu-west-1"),
            "elsewhere": instance("us-east-1"),
        }
    )
)
