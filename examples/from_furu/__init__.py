"""The quickstart and the nested pipeline of furu's page, written for flowlib."""
