import Stage2Sim
